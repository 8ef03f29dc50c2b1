"""A project's own Postgres, GCS and BigQuery server: started when needed, stopped when nobody uses them any more."""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mage_project.errors import MageProjectError, StoreUnavailable, UsageError, did_you_mean
from mage_project.local import daemons, servers
from mage_project.local.bigquery import PROJECT, BigQueryServer
from mage_project.local.failures import MissingPart, readable_errors
from mage_project.local.folders import StackFolder
from mage_project.local.gcs import GcsServer, bucket_name
from mage_project.local.leases import Lease, await_watchers_end, ensure_watcher
from mage_project.local.locks import held, is_held
from mage_project.local.postgres import PostgresServer
from mage_project.local.servers import Server
from mage_project.local.shutdown import SIGNALS, stop_servers

SERVICES = ("postgres", "gcs", "bigquery")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ServiceStatus:
    """How one service is; `url` (without a password) only while it runs."""

    name: str
    running: bool
    url: str | None
    detail: str


class LocalStack:
    """The servers of one project.

    `up()` makes this process a user of them until `down()` or its end, however it ends; the last user's end stops
    them. `up(detached=True)` lets them run without a user, until `down()` of a stack that is no user.
    """

    def __init__(self, project_root: Path) -> None:
        self._folder = StackFolder.of_project(Path(project_root))
        self._servers: dict[str, Server] = {
            "postgres": PostgresServer(self._folder),
            "gcs": GcsServer(self._folder),
            "bigquery": BigQueryServer(self._folder),
        }
        self._lease: Lease | None = None
        self._was_user = False
        self._mutex = threading.RLock()

    def up(self, services: Sequence[str] | None = None, detached: bool = False) -> None:
        """Starts what does not run yet, and waits until it is ready for clients.

        Without `services` it starts each that this machine has the parts for; `status` says what the others lack.
        Raises ConfigError (a missing package, a folder that cannot be written...), StoreError or StoreUnavailable
        with the last lines of the server's log, UsageError for an unknown service.
        """
        self._was_user |= not detached  # also where this fails: the `down()` after it stops nothing of others
        wanted = [self._server(name) for name in (self._possible() if services is None else services)]
        with self._mutex, readable_errors(self._folder):
            self._folder.create()
            if detached:
                with held(self._folder.users_lock, shared=True), held(self._folder.start_lock):
                    self._start(wanted, detached=True, all_of_them=services is not None)
            else:
                self._use(wanted, all_of_them=services is not None)

    def down(self, *, force: bool = False) -> list[str]:
        """Ends this process's use of the stack, which stops the servers if it was the last one.

        A stack object that never was a user stops them by hand: detached ones too, but not under processes that
        still use them (their end stops them then), except with `force`. Returns the services that were stopped.
        """
        with self._mutex, readable_errors(self._folder):
            stopped = self._leave(self._lease) if self._lease is not None and self._lease.is_held else []
            if self._folder.path.exists() and (force or not self._was_user):
                stopped += self._stop_by_hand(force=force)
            return stopped

    def status(self) -> list[ServiceStatus]:
        """How each service is, asked over the network."""
        with readable_errors(self._folder):
            return [self._status(server) for server in self._servers.values()]

    def env(self, services: Sequence[str] | None = None) -> dict[str, str]:
        """The environment variables by which other programs reach the services; without `services`, those that run.

        Raises StoreUnavailable for one that does not run, or where none does.
        """
        found: dict[str, str] = {}
        for name in (self._running() or SERVICES) if services is None else services:
            server = self._server(name)
            found |= server.environment(self._port(server))
        return found

    def missing(self, service: str) -> str | None:
        """What this machine lacks for the service, in one line; None where it can run."""
        return self._server(service).missing()

    def ensure_buckets(self, names: Iterable[str]) -> list[str]:
        """Makes the buckets that are missing; returns their names. Raises ConfigError for an impossible name."""
        from mage_project.local import buckets  # urllib is a third of this module's imports

        server = self._servers["gcs"]
        return buckets.create_missing(server.url(self._port(server)), names)

    def ensure_datasets(self, names: Iterable[str], *, project: str = PROJECT) -> list[str]:
        """Makes the datasets that are missing; returns their names. Raises ConfigError for an impossible name."""
        from mage_project.local import datasets

        server = self._servers["bigquery"]
        return datasets.create_missing(server.url(self._port(server)), project, names)

    def bucket_folder(self, name: str) -> Path:
        """Where the objects of a bucket are as files; for reading only."""
        return self._folder.objects / bucket_name(name)

    def _server(self, name: str) -> Server:
        try:
            return self._servers[name]
        except KeyError:
            known = ", ".join(self._servers)
            raise UsageError(
                f"There is no local service {name!r}.{did_you_mean(name, self._servers)}", hint=f"There are: {known}."
            ) from None

    def _possible(self) -> list[str]:
        return [name for name, server in self._servers.items() if server.missing() is None]

    def _running(self) -> list[str]:
        return [service.name for service in self.status() if service.running]

    def _port(self, server: Server) -> int:
        with readable_errors(self._folder):
            port = servers.running_port(server, self._folder)
        if port is None:
            raise StoreUnavailable(
                f"The local {server.name} of this project does not run.",
                where=str(self._folder.path),
                hint="Start it with `mage-project local up`.",
            )
        return port

    def _status(self, server: Server) -> ServiceStatus:
        port = servers.running_port(server, self._folder)
        if port is None:
            alive = is_held(self._folder.server_lock(server.name))
            missing = None if alive else server.missing()
            detail = "starting or stopping" if alive else f"unavailable: {missing}" if missing else "stopped"
            return ServiceStatus(name=server.name, running=False, url=None, detail=detail)
        detached = self._folder.detached_mark(server.name).exists()
        until = "`mage-project local down`" if detached else "the last run that uses it ends"
        return ServiceStatus(name=server.name, running=True, url=server.url(port), detail=f"runs until {until}")

    def _use(self, wanted: Sequence[Server], *, all_of_them: bool) -> None:
        is_new = self._lease is None or not self._lease.is_held
        if is_new:
            self._lease = Lease(self._folder)
            atexit.register(self._leave_at_exit)
        try:
            with held(self._folder.start_lock):
                # First the watcher: from here on the servers are stopped even if this process is killed.
                ensure_watcher(self._folder)
                self._start(wanted, detached=False, all_of_them=all_of_them)
        except BaseException:
            if is_new and self._lease is not None:
                self._leave(self._lease)
            raise

    def _start(self, wanted: Sequence[Server], *, detached: bool, all_of_them: bool) -> None:
        """Starts servers; where not `all_of_them` have to run, those that the machine lacks something for do not."""
        for server in wanted:
            mark = self._folder.detached_mark(server.name)
            if detached:
                mark.touch()
            elif not is_held(self._folder.server_lock(server.name)):
                mark.unlink(missing_ok=True)
            try:
                servers.start(server, self._folder)
            except MissingPart as error:
                mark.unlink(missing_ok=True)
                if all_of_them:
                    raise
                _log.warning("%s", error)
            except BaseException:
                if servers.running_port(server, self._folder) is None:
                    mark.unlink(missing_ok=True)
                    daemons.stop(self._folder.server_lock(server.name), SIGNALS[server.name])
                raise

    def _leave(self, lease: Lease) -> list[str]:
        """Ends a lease; the servers that this stopped, because it was the last one."""
        atexit.unregister(self._leave_at_exit)
        self._lease = None
        stopped = []
        try:
            is_last = lease.becomes_last()
            if is_last:
                with held(self._folder.start_lock):
                    stopped = stop_servers(self._folder, detached=False)
        finally:
            lease.end()
        if is_last:
            await_watchers_end(self._folder)
        return stopped

    def _leave_at_exit(self) -> None:
        try:
            if self._lease is not None and self._lease.is_held:
                self._leave(self._lease)
        except (MageProjectError, OSError):
            _log.exception("the local stack was not stopped")

    def _stop_by_hand(self, *, force: bool) -> list[str]:
        with held(self._folder.start_lock):
            for name in self._servers:
                self._folder.detached_mark(name).unlink(missing_ok=True)
        stopped = self._leave(Lease(self._folder))
        if force:
            with held(self._folder.start_lock):
                stopped += stop_servers(self._folder, detached=True)
        return stopped
