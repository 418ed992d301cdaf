"""`cbam-np compare`."""

from contextlib import contextmanager
from pathlib import Path

from . import train
from .errors import UserError

LEFT_OUT = ("--attention", "--seed")  # these are what is compared


def declare(parser):
    """Declare what is compared, how often, and where; and the settings that all runs share."""
    from ..train.compare import VARIANTS

    parser.add_argument("what", choices=list(VARIANTS), help="what to compare")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="runs of each variant; default: 3")
    parser.add_argument("--workers", type=int, metavar="N", help="processes; default: one a core")
    parser.add_argument("--dask", metavar="ADDRESS", help="run on a Dask cluster instead, as in tcp://host:8786")
    train.declare_settings(parser, LEFT_OUT)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for runs, table and picture")
    parser.epilog = (
        "The same command again goes on where it was stopped, even by a power cut. Finished runs are read again."
    )


def run(command, what, seeds, workers, dask, out, **given):
    """Compare, print the table, and draw it."""
    from .. import viz
    from ..train.checkpoint import CheckpointError
    from ..train.compare import compare, comparison_table
    from ..train.state import Diverged

    try:
        settings = train.settings_of(given)
        with _executor(dask) as executor:
            found = compare(what, settings, seeds, out, executor=executor, workers=workers)
    except (ValueError, OSError, CheckpointError, Diverged) as error:
        raise UserError(error) from error
    table = comparison_table(found)
    print(table)
    (out / "README.md").write_text(f"# {what}\n\n{_said(found)}\n\n{table}\n", encoding="utf-8")
    viz.comparison_figure(found).savefig(out / "comparison.png", dpi=150)
    print(f"{out} holds comparison.json, README.md, comparison.png and every run.")


def _said(found):
    note = f" on the {found['note']}" if found["note"] else ""
    recipe = found["settings"]["recipe"]
    return (
        f"{found['seeds']} paired seeds a variant, {recipe['epochs']} epochs{note}; differences to the first variant, "
        "with bootstrap intervals over the seeds; with few seeds they are rather too narrow than too wide. “Better” "
        "and “worse” are only said where chance would do as much in at most 5% of the cases (a sign-flip test); that "
        "takes six seeds or more."
    )


@contextmanager
def _executor(address):
    """Yield Dask's executor where an address is given, and otherwise None: `compare` then makes processes."""
    if address is None:
        yield None
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise UserError("--dask needs the package distributed: pip install 'cbam_np[dask]'") from error
    with Client(address, timeout=20) as client:
        yield client.get_executor()
