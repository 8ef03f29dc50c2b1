from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mage_project.errors import UsageError
from mage_project.web.listening import Address, address, announced, found, listen


@pytest.mark.parametrize(
    ("text", "wanted", "is_loopback"),
    [
        (":8000", Address(port=8000), True),
        ("8000", Address(port=8000), True),
        ("0.0.0.0:80", Address(host="0.0.0.0", port=80), False),
        ("[::1]:80", Address(host="::1", port=80), True),
    ],
)
def test_without_a_host_it_is_this_machine_alone(text: str, wanted: Address, is_loopback: bool) -> None:
    assert (address(text), address(text).is_loopback) == (wanted, is_loopback)


@pytest.mark.parametrize("text", ["", "here", "127.0.0.1:", "127.0.0.1:http", ":70000", ":-1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no address to listen at"):
        address(text)


def test_an_address_that_is_taken_is_refused() -> None:
    listener, here = listen(Address(port=0))
    with listener, pytest.raises(UsageError, match="Address already in use"):
        listen(here)
    with pytest.raises(UsageError, match=r"cannot listen at no\.such\.host\.invalid:80"):
        listen(Address(host="no.such.host.invalid", port=80))


def test_where_a_process_listens_is_known_while_it_lives(tmp_path: Path) -> None:
    assert found(tmp_path) is None
    with announced(tmp_path, Address(port=5)):
        assert found(tmp_path) == Address(port=5)
    assert found(tmp_path) is None
    killed = "from mage_project.web.listening import *; from pathlib import Path; import os, sys\n" \
             "with announced(Path(sys.argv[1]), Address(port=5)): os._exit(1)"  # fmt: skip
    subprocess.run([sys.executable, "-c", killed, str(tmp_path)], check=False)
    assert (tmp_path / ".mage_project/listening.json").exists()
    assert found(tmp_path) is None
