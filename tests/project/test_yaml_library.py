"""PyYAML with patterns that are compiled later reads what it reads with its own."""

from __future__ import annotations

import subprocess
import sys

TEXT = "[2020-10, 2020-10-01, 2001-12-14t21:59:43.10-05:00, yes, ~, 0x1F, 1:30, 1.5e3, .inf, 'text', plain]"
READ = f"yaml.load('''{TEXT}''', Loader=yaml.CSafeLoader), yaml.safe_load('''{TEXT}'''), yaml.safe_dump(['1', 'a'])"


def said(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_it_reads_and_writes_as_ever():
    ours = said(f"from mage_project.project.yaml_library import yaml; print({READ})")
    assert ours == said(f"import yaml; print({READ})")
    assert "datetime.date(2020, 10, 1)" in ours


def test_a_pattern_is_compiled_when_it_is_used():
    code = "from mage_project.project.yaml_library import yaml; import re, yaml.reader as r; "
    code += "print(type(r.Reader.NON_PRINTABLE).__name__, type(re.compile('x')).__name__)"
    assert said(code) == "_Pattern Pattern\n"
