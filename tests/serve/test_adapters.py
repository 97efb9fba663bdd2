"""Several adapters behind one server: named as models, loaded and unloaded by who may, without dropping a request."""

import asyncio
import base64
import io
import shutil

import pytest
from starlette.testclient import TestClient

from serve.adapters import MAX_BODY_BYTES
from serve.app import create_app
from serve.config import ServeConfig
from serve.engine import Engine, GenerationRequest, load_engine
from serve.main import _adapter_as_override
from serve.service import Service
from tests.adapters import save_adapter
from vlm.adapters import merge_adapter
from vlm.engine.batch import Batch
from vlm.loading import Assistant, load, save_checkpoint
from vlm.run_config import ConfigError, load_config

TARGETS = r".*language_model\..*(q|v|down)_proj"


@pytest.fixture
def adapters_dir(tiny_assistant, tmp_path):
    """A folder with the adapters `one` and `two`, and beside it one that is not in it."""
    save_checkpoint(tiny_assistant.model, tiny_assistant.processor, tmp_path / "base")
    for seed, name in enumerate(("one", "two")):
        model = load(str(tmp_path / "base")).model
        save_adapter(model, tmp_path / "adapters" / name, seed=seed, targets=TARGETS)
    shutil.copytree(tmp_path / "adapters" / "one", tmp_path / "outside")
    (tmp_path / "adapters" / "broken").mkdir()
    (tmp_path / "adapters" / "broken" / "adapter_config.json").write_text("{")
    (tmp_path / "adapters" / "link").symlink_to(tmp_path / "outside")
    return tmp_path / "adapters"


@pytest.fixture
def make(tiny_assistant, tiny_batch, make_client, adapters_dir):
    def make(**options):
        options = {"adapters_dir": adapters_dir, **options}
        return make_client(model=tiny_assistant, batch=tiny_batch, **options)

    return make


@pytest.fixture
def data_picture(picture):
    file = io.BytesIO()
    picture.save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def order(client, what, **options):
    fields = {"lora_name": "one", **({"lora_path": "one"} if what == "load" else {}), **options.pop("body", {})}
    return client.post(f"/v1/{what}_lora_adapter", json=fields, **options)


def code(response):
    return response.status_code, response.json()["error"]["code"]


def test_a_loaded_adapter_is_a_model_that_answers_as_the_merged_one(
    make, ask, tiny_assistant, data_picture, picture, adapters_dir, tmp_path
):
    client = make()
    body = ask("What is it?", data_picture, max_tokens=6, temperature=0)
    assert code(client.post("/v1/chat/completions", json={**body, "model": "one"})) == (404, "model_not_found")
    for name in ("one", "two"):
        loaded = order(client, "load", body={"lora_name": name, "lora_path": name})
        assert (loaded.status_code, loaded.json()["id"]) == (200, name)
    listed = client.get("/v1/models").json()["data"]
    assert [(model["id"], model.get("parent")) for model in listed] == [
        ("tiny", None),
        ("one", "tiny"),
        ("two", "tiny"),
    ]
    assert client.get("/v1/models/two").json()["id"] == "two"
    texts = []
    for name in ("tiny", "one", "two"):
        answer = client.post("/v1/chat/completions", json={**body, "model": name}).json()
        assert answer["model"] == name
        texts.append(answer["choices"][0]["message"]["content"])
    base = load(str(tmp_path / "base"))
    merged = Assistant("merged", merge_adapter(base.model, adapters_dir / "one"), base.processor)
    merged.model.generation_config.eos_token_id = None
    assert texts[1] == merged.ask(picture, "What is it?", max_new_tokens=6)
    assert texts[0] == tiny_assistant.ask(picture, "What is it?", max_new_tokens=6)
    assert len(set(texts)) == 3
    assert order(client, "unload").status_code == 200
    assert code(client.post("/v1/chat/completions", json={**body, "model": "one"})) == (404, "model_not_found")
    assert code(order(client, "unload")) == (404, "model_not_found")
    assert code(order(client, "unload", body={"lora_name": "tiny"})) == (404, "model_not_found")


def test_unloading_drops_no_request(tiny_assistant, tiny_batch, adapters_dir, picture):
    engine = Engine(tiny_assistant, batch=tiny_batch)
    parts = [{"type": "image", "image": picture}, {"type": "text", "text": "What is it?"}]
    request = GenerationRequest([{"role": "user", "content": parts}], max_new_tokens=30, adapter="one")

    async def answers(unload):
        engine.load_adapter("one", adapters_dir / "one")
        generations = [engine.admit() for _ in range(8)]  # more than are answered at once
        for generation in generations:
            generation.start(request)  # some run by now, some wait, some are not even prepared
        firsts = [await anext(generations[0])]
        if unload:
            engine.unload_adapter("one")
        texts = [[chunk.text async for chunk in generation] for generation in generations]
        return ["".join([firsts[0].text, *texts[0]]), *map("".join, texts[1:])]

    kept, unloaded = asyncio.run(answers(False)), asyncio.run(answers(True))
    engine.close()
    assert unloaded == kept and len(set(kept)) == 1 and kept[0]
    assert engine.snapshot().finished == {"length": 16}


@pytest.mark.parametrize("what", ["load", "unload"])
def test_only_an_admin_key_may(make, what):
    client = make(api_keys=("user",))
    assert order(client, what).status_code == 401
    assert code(order(client, what, headers={"authorization": "Bearer user"})) == (403, "not_allowed")


def test_an_admin_key_may_and_is_a_key_for_everything_else(tiny_assistant, adapters_dir):
    engine = Engine(tiny_assistant, batch=Batch(tiny_assistant.model, tiny_assistant.processor))
    config = ServeConfig(host="0.0.0.0", adapters_dir=adapters_dir)
    client = TestClient(create_app(Service(engine), config, ("user",), admin_keys=("admin",)))
    headers = {"authorization": "Bearer admin"}
    assert order(client, "load", headers=headers).status_code == 200
    assert len(client.get("/v1/models", headers=headers).json()["data"]) == 2
    assert code(order(client, "unload", headers={"authorization": "Bearer user"})) == (403, "not_allowed")
    assert client.get("/v1/models", headers={"authorization": "Bearer adminn"}).status_code == 401
    engine.close()


@pytest.mark.parametrize("settings", [{"host": "0.0.0.0"}, {"allowed_origins": ("*",)}, {"adapters_dir": None}])
def test_without_keys_only_a_server_for_this_machine_alone_loads(make, settings):
    assert code(order(make(**settings), "load")) == (403, "not_allowed")


@pytest.mark.parametrize(
    "path", ["../outside", "link", "/etc", "OUTSIDE", ".", "none", "one/../../outside", "a\0b", "a" * 300, "one/x"]
)
def test_nothing_outside_of_adapters_dir_is_looked_at(make, adapters_dir, path):
    path = str(adapters_dir.parent / "outside") if path == "OUTSIDE" else path
    response = order(make(), "load", body={"lora_path": path})
    assert code(response) == (404, "adapter_not_found")
    assert str(adapters_dir.parent) not in response.text


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"lora_name": "tiny"}, (400, "adapter_exists")),
        ({"lora_path": "broken"}, (400, "adapter_unusable")),
        ({"lora_name": "a/b"}, (400, None)),
        ({"lora_name": ""}, (400, None)),
        ({"lora_path": 7}, (400, None)),
        ({"lora_path": "x" * 600}, (400, None)),
        ({"lora_path": ""}, (400, None)),
    ],
)
def test_what_cannot_be_loaded_is_refused(make, body, expected):
    assert code(order(make(), "load", body=body)) == expected


def test_there_is_a_most_of_adapters_and_no_two_of_a_name(make):
    client = make(max_adapters=1)
    assert order(client, "load").status_code == 200
    assert code(order(client, "load")) == (400, "adapter_exists")
    assert code(order(client, "load", body={"lora_name": "two"})) == (400, "too_many_adapters")
    assert order(client, "unload").status_code == 200
    assert order(client, "load", body={"lora_name": "two"}).status_code == 200


def test_a_model_that_answers_one_at_a_time_refuses_adapters(make_client, adapters_dir):
    assert code(order(make_client(adapters_dir=adapters_dir), "load")) == (400, "adapter_unusable")


def test_those_of_the_config_are_there_from_the_start(adapters_dir, tmp_path):
    engine = load_engine(ServeConfig(model=str(tmp_path / "base"), adapters={"first": str(adapters_dir / "one")}))
    assert engine.models == ("base", "first")
    engine.close()
    with pytest.raises(ConfigError, match="an adapter cannot be called base"):
        load_engine(ServeConfig(model=str(tmp_path / "base"), adapters={"base": str(adapters_dir / "one")}))


def test_the_flag_stands_for_the_keys():
    overrides = [*map(_adapter_as_override, ("a=runs/a", "b=runs/b", "runs/c"))]
    config = load_config(ServeConfig, "serve/default", overrides)
    assert (config.adapters, config.adapter) == ({"a": "runs/a", "b": "runs/b"}, "runs/c")
    with pytest.raises(ConfigError, match="adapters"):
        load_config(ServeConfig, "serve/default", [_adapter_as_override("a b=runs/a")])


@pytest.mark.parametrize(
    ("size", "status"), [(MAX_BODY_BYTES - 1, 200), (MAX_BODY_BYTES, 200), (MAX_BODY_BYTES + 1, 413)]
)
def test_an_order_has_so_many_bytes_and_no_more(make, size, status):
    body = b'{"lora_name": "one", "lora_path": "one"}'
    response = make().post(
        "/v1/load_lora_adapter", content=body.ljust(size), headers={"content-type": "application/json"}
    )
    assert response.status_code == status
