"""The page about the API: complete, and nothing in it comes from elsewhere."""

import re

from serve.docs import GETS, POSTS


def paths(client, method):
    return {route.path for route in client.app.routes if method in route.methods}


def test_every_route_and_every_field_is_told_of(client):
    page = client.get("/docs").text
    assert paths(client, "POST") == POSTS.keys()
    assert paths(client, "GET") - {"/v1/models/{model_name:path}"} == GETS.keys()
    for kind, _, _ in POSTS.values():
        names = [field.alias or name for name, field in kind.model_fields.items()]
        assert all(f"<td><code>{name}</code>" in page for name in names)
    assert all(f"<code>{path}</code>" in page for path in [*POSTS, *GETS])
    assert "number from 0 to 2" in page  # temperature


def test_the_page_loads_nothing_and_runs_nothing(client):
    response = client.get("/docs")
    assert response.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert not re.search(r"<script|<link|<img|\bsrc=|\bhref=", response.text)


def test_the_page_is_for_those_with_a_key(make_client):
    client = make_client(api_keys=("key",))
    assert client.get("/docs").status_code == 401
    assert client.get("/docs", headers={"authorization": "Bearer key"}).status_code == 200
