"""`ops-atomic`, and `python -m exporter`: the command as a process."""

from exporter.runtime.generated import COMMAND, GENERATED, take_dataclasses

# Before anything is imported that makes some.
GENERATED.read(COMMAND)
take_dataclasses()

from exporter.cli.main import main  # noqa: E402
from exporter.runtime.process_end import end  # noqa: E402


def run() -> None:
    try:
        main(prog_name="ops-atomic")
    except SystemExit as ended:
        if isinstance(ended.code, int):
            end(ended.code)
        raise


if __name__ == "__main__":
    run()
