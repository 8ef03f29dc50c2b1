"""Carries out a plan for several pipelines: what the scripts in this folder have in common."""

import json
import os
import sys
from pathlib import Path


def carry_out(plan, run):
    """Call `run(project, pipeline, variables)` for each pipeline, and note how each ended."""
    notes, outcomes = Path(plan["notes"]), {}
    for pipeline, variables in plan["pipelines"].items():
        os.environ["WITNESS"] = str(notes / f"{pipeline}.jsonl")
        outcomes[pipeline] = outcome(run, plan["project"], pipeline, variables)
    for label, (project, pipeline, variables) in plan.get("elsewhere", {}).items():
        before = list(sys.path)
        outcomes[label] = outcome(run, project, pipeline, variables)
        sys.path[:] = before
        forget(project)
    (notes / "outcomes.json").write_text(json.dumps(outcomes))


def forget(project):
    """The next project has modules of its own, which may have the same names."""
    for name, module in list(sys.modules.items()):
        places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
        if any(str(place or "").startswith(f"{project}/") for place in places):
            del sys.modules[name]


def outcome(run, *arguments):
    try:
        run(*arguments)
    except Exception as error:  # noqa: BLE001 - the error is the outcome
        return f"{type(error).__name__}: {error}"
    return "done"
