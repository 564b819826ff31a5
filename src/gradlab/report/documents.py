"""What a finished run says of itself in its folder: `environment.json` and `results.json`."""

from collections.abc import Iterable, Mapping
from typing import Any

from gradlab.records import Row, RunFolder, describe_environment, write_json
from gradlab.report.results import results


def write_documents(
    folder: RunFolder,
    rows: Iterable[Row],
    settings: Mapping[str, Any],
    facts: Mapping[str, Any],
    *,
    exact: bool,
    seconds: float,
    device_name: str | None = None,
) -> dict[str, Any]:
    """Writes both documents and returns the second.

    Args:
        folder: of the run.
        rows: all that was measured.
        settings: experiment, command, seeds, device, precision, compile and threads, as `config.json` holds them.
        facts: what the run noted of its "data" and, for each of its "arms", of the training.
        exact: whether the run is, bit for bit, what its command gives without interruption.
        seconds: wall time.
        device_name: the name of the hardware, where it has one.
    """
    arms = facts["arms"]
    named = {} if device_name is None else {"device_name": device_name}
    place = {name: settings[name] for name in ("device", "precision", "compile", "threads") if name in settings}
    environment = describe_environment(**place, **named, exact=exact, data=facts["data"], arms=arms)
    document = results(
        rows,
        experiment=settings["experiment"],
        command=settings["command"],
        environment=environment,
        seconds=round(seconds, 3),
        parameters={arm: about["parameters"] for arm, about in arms.items()},
        seeds=settings["seeds"] if arms else (),
        diverged={arm: about["diverged"] for arm, about in arms.items()},
    )
    write_json(folder.path / "environment.json", environment)
    write_json(folder.path / "results.json", document)
    return document
