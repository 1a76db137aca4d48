"""Executor `ray`: each evaluation is a task of Ray, on this machine or on all of a cluster."""

from __future__ import annotations

import importlib
import logging
import math
import os
import re
import signal
import socket
import threading
from typing import Any, ClassVar

from pydantic import Field, field_validator

from spikefront import hookimpl
from spikefront.components import Pool
from spikefront.errors import InputError, PluginError
from spikefront.sources import Sources
from spikefront_plugins.executors._limits import GIB, Limited
from spikefront_plugins.executors._luggage import pack
from spikefront_plugins.executors._ray_pool import RayPool

_ADDRESS = re.compile(r"([^:/\s]+):(\d+)")


class Ray(Limited):
    """Tasks of Ray, each with its share of a machine; Ray itself tries nothing again.

    The resources of a task decide on which machine it may run, and how many of them run there side by side.
    """

    name: ClassVar[str] = "ray"

    address: str = Field("", description="a running cluster, 'HOST:PORT' or 'auto'; empty: only this machine")
    cpus: float = Field(1.0, ge=0, description="CPUs of an evaluation; up to 1 any share, above whole numbers")
    gpus: float = Field(0.0, ge=0, description="GPUs of an evaluation; up to 1 any share, above whole numbers")

    @field_validator("address")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        if value not in {"", "auto"} and not _ADDRESS.fullmatch(value):
            raise ValueError("should be 'HOST:PORT' or 'auto'; start the study on a machine of the cluster")
        return value

    @field_validator("cpus", "gpus")
    @classmethod
    def _share(cls, value: float) -> float:
        if value > 1 and not value.is_integer():
            raise ValueError("above 1 should be a whole number")
        return value

    @property
    def resources(self) -> dict[str, float]:
        """What one task takes, by Ray's names."""
        return {"CPU": self.cpus, "GPU": self.gpus, "memory": (self.memory or 0) * GIB}

    def open(self, sources: Sources) -> Pool:
        ray = _imported()
        ours = not ray.is_initialized()
        if ours:
            self._connect(ray)
        try:
            self._check(ray.nodes())
            return RayPool(ray, self, self.resources, pack(sources), shut_down=ray.shutdown if ours else None)
        except BaseException:
            if ours:
                ray.shutdown()
            raise

    def _connect(self, ray: Any) -> None:
        """Start Ray on this machine, or connect to a cluster; SIGTERM goes on to mean what it meant."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")  # what failed is told by its evaluation
        machine = {"num_cpus": max(1, math.ceil(self.workers * self.cpus)), "include_dashboard": False}
        options = {"address": self.address} if self.address else {"address": "local", **machine}
        handler = signal.getsignal(signal.SIGTERM)
        try:
            _check_address(self.address)
            ray.init(**options, log_to_driver=False, logging_level=logging.ERROR)
        except Exception as error:
            where = f"the Ray cluster at '{self.address}'" if self.address else "Ray on this machine"
            hint = "See docs/cluster.md, and `ray status` on a machine of the cluster."
            raise InputError(f"{where} cannot be reached: {' '.join(str(error).split())}", hint) from error
        finally:
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGTERM, handler)

    def _check(self, nodes: list[dict[str, Any]]) -> None:
        """Refuse what no machine can run: Ray would wait for one for ever."""
        alive = [node["Resources"] for node in nodes if node["Alive"]]
        for key, wanted in self.resources.items():
            most = max((node.get(key, 0.0) for node in alive), default=0.0)
            if wanted > most:
                scale, unit = (GIB, " GiB") if key == "memory" else (1, "")
                name = {"CPU": "cpus", "GPU": "gpus"}.get(key, key)
                message = f"execution.{name} = {wanted / scale:g}: no machine of the cluster has as much"
                raise InputError(message, f"The largest has {most / scale:.3g}{unit}.")


def _check_address(address: str) -> None:
    """Make sure that somebody listens there; Ray itself would try for minutes."""
    if match := _ADDRESS.fullmatch(address):
        socket.create_connection((match[1], int(match[2])), timeout=10).close()


def _imported() -> Any:
    """Return the package ray."""
    try:
        return importlib.import_module("ray")
    except ImportError:
        message = "executor 'ray' needs the package ray, which is not installed"
        raise PluginError(message, "pip install 'spikefront[cluster]', or use executor 'local'.") from None


@hookimpl
def spikefront_executors() -> list[type[Ray]]:
    """Return the executor."""
    return [Ray]
