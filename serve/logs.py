"""What the log looks like: lines for people, or one JSON object a line for programs. Set up by the command alone."""

import json
import logging
import time

from .config import LogFormat


class JsonFormatter(logging.Formatter):
    """One object a line, ASCII, with the fields of a request where the line is about one (see `serve.gate`)."""

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        fields = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        request = getattr(record, "request", None)
        fields |= {"message": record.getMessage()} if request is None else {"message": "request", **request}
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, separators=(",", ":"))


def set_up(log_format: LogFormat) -> None:
    """Everything from INFO on, to standard error."""
    handler = logging.StreamHandler()
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(JsonFormatter() if log_format == "json" else text)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
