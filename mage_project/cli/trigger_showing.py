"""`mage-project schedule show`: one trigger, and how it is called."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from mage_project.characters import visible
from mage_project.cli.options import project_option
from mage_project.project import Project

if TYPE_CHECKING:
    from mage_project.schedule.catalogue import Entry

_CALL = """curl -X POST {url} \\
    -H 'Authorization: Bearer TOKEN' -H 'Content-Type: application/json' \\
    -d '{{"pipeline_run": {{"variables": {{}}}}}}'"""


@click.command()
@click.argument("name")
@click.option("--pipeline", "-p", help="The pipeline, where several have a trigger of that name.")
@click.option("--local", is_flag=True, help="Look into the local stack, whatever io_config.yaml names.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@project_option
def show(project: Project, name: str, pipeline: str | None, local: bool, as_json: bool) -> None:
    """Show trigger NAME: what makes its runs due, and what became of the last one.

    Of an API trigger also how it is called over HTTP; of an event trigger what is there now of what it watches.
    """
    from mage_project.cli.scheduling import catalogue_of, known_of, row_of

    found = catalogue_of(project)
    entry = found.find(name, pipeline)
    [(state, last)] = [(state, last) for each, state, last in known_of(project, found) if each is entry]
    row = {**row_of(entry, state, last), **called(project, entry), **_watched(project, entry, local=local)}
    if as_json:
        click.echo(json.dumps(row, ensure_ascii=False))
        return
    for title, value in _facts(row):
        click.echo(f"{title:<10} {value}")
    if row.get("url"):
        click.echo("\n" + _CALL.format(url=row["url"]))
    for line in [_seen(each) for each in row.get("there", ())] + [f"! {each}" for each in row.get("troubles", ())]:
        click.echo(line)


def called(project: Project, entry: Entry) -> dict[str, Any]:
    """The address of an API trigger, where its token is from, and whether anybody listens there."""
    from mage_project.web import listening, tokens

    if entry.trigger.schedule_type != "api":
        return {}
    here = listening.found(project.root)
    url = f"{(here or listening.Address()).url}/api/pipeline_schedules/{entry.number}/api_trigger"
    return {"url": url, "token": tokens.source(entry.trigger), "listening": here is not None}


def _watched(project: Project, entry: Entry, *, local: bool) -> dict[str, Any]:
    """What is there now of what an event trigger watches."""
    from datetime import UTC, datetime

    from mage_project.schedule.watch.lookout import look

    if entry.trigger.watch is None:
        return {}
    found = look(project.root, entry, datetime.now(UTC).date(), local=local)
    return {
        "watch": list(entry.trigger.watch.addresses),
        "poll_interval": entry.trigger.watch.poll_interval_s,
        "there": [sighting.event() for sighting in sorted(found.sightings, key=lambda each: each.order)],
        "troubles": list(found.troubles),
    }


def _seen(event: dict[str, Any]) -> str:
    size = "" if event["size"] is None else f", {event['size']:,} bytes"
    return f"there      {event['address']}{size}{', of ' + event['modified'] if event['modified'] else ''}"


def _facts(row: dict[str, Any]) -> list[tuple[str, str]]:
    last = row["last"]
    found = [(title, row[title]) for title in ("trigger", "pipeline", "type", "status", "schedule", "next")]
    if last:
        why = f": {last['reason']}" if last["reason"] else ""
        found.append(("last", f"{last['due']} {last['status']}{why}"))
        found.append(("run", last["run_id"]))
    found += [("watches", f"{each}, every {row['poll_interval']:g} s") for each in row.get("watch", ())]
    if "url" in row:
        found.append(("token", row["token"] or "none: set MAGE_PROJECT_API_TOKEN, or `token` in triggers.yaml"))
        if not row["listening"]:
            found.append(("listening", "nobody: mage-project scheduler --listen 127.0.0.1:6789"))
    found.append(("problem", row["problem"]))
    return [
        (title, str(value) if title == "problem" else visible(str(value)))
        for title, value in found
        if value is not None
    ]
