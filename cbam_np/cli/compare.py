"""`cbam-np compare`."""

import argparse
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import pictures, train
from .arguments import a_folder, whole
from .errors import UserError

LEFT_OUT = ("attention", "seed")  # these are what is compared
PATIENCE = 8  # seconds for a cluster to answer
GONE = 5  # seconds without its scheduler, after which it is given up


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what is compared, how often, and where; and the settings that all runs share."""
    from ..train.compare import MOST_SEEDS
    from ..train.variants import VARIANTS

    parser.add_argument("what", choices=list(VARIANTS), help="what to compare")
    parser.add_argument(
        "--seeds", type=whole(1, MOST_SEEDS), default=3, metavar="N", help="runs of each variant; default: 3"
    )
    parser.add_argument("--workers", type=whole(1, 1024), metavar="N", help="processes; default: one per core")
    parser.add_argument("--dask", metavar="ADDRESS", help="run on a Dask cluster instead, as in tcp://host:8786")
    train.declare_settings(parser, LEFT_OUT)
    parser.add_argument(
        "--out", type=a_folder(), required=True, metavar="DIR", help="folder for runs, table and picture"
    )
    parser.epilog = (
        "The same command goes on where it was stopped, even by a power cut. No finished run is repeated. Fewer epochs "
        "of shapes than usual have a recipe of their own, with a slow attention: they say little about it."
    )


def run(command: str, what: str, seeds: int, workers: int | None, dask: str | None, out: Path, **given: Any) -> None:
    """Compare, print the table, and draw it."""
    from ..files import write_text
    from ..train.compare import compare
    from ..train.state import Diverged
    from ..train.table import comparison_page, comparison_table
    from ..train.workers import WorkerError

    if dask is not None and workers is not None:
        raise UserError("--workers is the number of processes on this machine, and --dask uses a cluster's: give one")
    try:
        settings = train.settings_of(given)
        with _executor(dask) as (executor, watch):
            found = compare(what, settings, seeds, out, executor=executor, workers=workers, watch=watch)
    except (ValueError, Diverged, WorkerError) as error:
        raise UserError(error) from error
    except KeyboardInterrupt as stopped:
        raise KeyboardInterrupt(f"stopped; the same command again goes on with what {out} holds") from stopped
    print(comparison_table(found))

    def draw() -> Any:
        from .. import viz

        return viz.comparison_figure(found)

    drawn = pictures.save_if_possible(draw, out / "comparison.png")
    written = pictures.attempt(lambda: write_text(out / "README.md", comparison_page(found)), out / "README.md")
    holds = f"comparison.json{', README.md' if written else ''}{', comparison.png' if drawn else ''}"
    print(f"{out} holds {holds} and every run.")


@contextmanager
def _executor(address: str | None) -> Iterator[tuple[Executor | None, "Watch | None"]]:
    """Yield Dask's executor where an address is given, and otherwise None: `compare` then makes processes."""
    if address is None:
        yield None, None
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise UserError("--dask needs the package distributed: pip install 'cbam_np[dask]'") from error
    try:
        client = Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise UserError(f"there is no Dask scheduler at {address} ({error}): start it, or leave --dask out") from error
    try:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except OSError as error:
            raise UserError(f"the Dask scheduler at {address} has no worker: start one with dask worker") from error
        yield client.get_executor(), Watch(client, address)
    except CancelledError as error:  # what its client does with all work when the scheduler dies
        raise UserError(_gone(address)) from error
    finally:
        client.close(timeout=2)  # it may be gone


class Watch:
    """Notices when a Dask scheduler is gone for good, on which its client would wait for ever.

    Parameters
    ----------
    client : distributed.Client
        Whose scheduler.
    address : str
        Where it was.
    """

    def __init__(self, client: Any, address: str) -> None:
        self.client, self.address = client, address
        self.gone: float | None = None  # since when

    def __call__(self) -> None:
        """Raise a UserError where the scheduler has not answered for a while."""
        if self.client.status == "running":
            self.gone = None
            return
        self.gone = self.gone or time.monotonic()
        if self.client.status == "closed" or time.monotonic() - self.gone >= GONE:
            raise UserError(_gone(self.address))


def _gone(address: str) -> str:
    return (
        f"the Dask scheduler at {address} has stopped answering: start it again, and the same command goes on with "
        "what is finished"
    )
