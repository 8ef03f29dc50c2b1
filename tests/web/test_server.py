"""What clients do, and how the process ends, loses no run that was promised and stops no other one."""

from __future__ import annotations

import signal
import socket
from collections import Counter

import pytest

from tests.web.conftest import BEARER, HOOK, TOKEN, Scene


def test_what_was_answered_is_run_once_though_the_process_is_killed(scene: Scene) -> None:
    process = scene.start("--jobs", "1")
    asked = [scene.ask("POST", HOOK, {"pipeline_run": {"variables": {"months": n, "slow": 1}}}, BEARER) for n in "abc"]
    process.kill()
    process.communicate()
    assert {answer.code for answer in asked} == {200}
    with scene.running():
        assert {scene.ended(answer.run["id"])["status"] for answer in asked} == {"completed"}
    assert Counter(note["months"] for note in scene.notes()) == Counter("abc")


@pytest.mark.parametrize(
    "sent",
    [
        b"POST",
        b"POST /api/trigger HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
        b"\x16\x03\x01\x02\x00\x01" + bytes(range(256)),
        b"GET /" + b"a" * 100_000,
        b"GET /\r\n\r\n" * 100,
    ],
    ids=["half a head", "half a body", "TLS", "a head without an end", "no HTTP"],
)
def test_slow_clients_and_garbage_stop_nothing(served: Scene, sent: bytes) -> None:
    connections = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(20)]
    try:
        for connection in connections:
            connection.sendall(sent)
        run = served.ask("POST", HOOK, {}, BEARER).run
        assert served.ended(run["id"])["status"] == "completed"
    finally:
        for connection in connections:
            connection.close()


def test_a_body_that_does_not_come_is_given_up(shared: Scene) -> None:
    with socket.create_connection(("127.0.0.1", shared.port), timeout=60) as connection:
        head = f"POST {HOOK} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
        connection.sendall(head.encode() + b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{")
        assert b"408" in connection.makefile("rb").readline()


def test_it_ends_at_a_signal_with_nothing_of_tokens_said(scene: Scene) -> None:
    process = scene.start()
    scene.ask("POST", HOOK.replace("api_trigger", f"pipeline_runs/{TOKEN}"), {})
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert (process.returncode, TOKEN in said) == (0, False)
    assert not (scene.root / ".mage_project/listening.json").exists()
    with pytest.raises(ConnectionRefusedError):
        scene.ask("GET", "/healthz")
