"""Carries out a plan for several pipelines: what the scripts in this folder have in common."""

import json
import os
from pathlib import Path


def carry_out(plan, run):
    """Call `run(project, pipeline, variables)` for each pipeline, and note how each ended."""
    notes, outcomes = Path(plan["notes"]), {}
    for pipeline, variables in plan["pipelines"].items():
        os.environ["WITNESS"] = str(notes / f"{pipeline}.jsonl")
        outcomes[pipeline] = outcome(run, plan["project"], pipeline, variables)
    for label, (project, pipeline, variables) in plan.get("elsewhere", {}).items():
        outcomes[label] = outcome(run, project, pipeline, variables)
    (notes / "outcomes.json").write_text(json.dumps(outcomes))


def outcome(run, *arguments):
    try:
        run(*arguments)
    except Exception as error:  # noqa: BLE001 - the error is the outcome
        return f"{type(error).__name__}: {error}"
    return "done"
