"""`ops-atomic`, and `python -m exporter`: the command as a process."""

from exporter.cli.main import main
from exporter.runtime.process_end import end


def run() -> None:
    try:
        main(prog_name="ops-atomic")
    except SystemExit as ended:
        if isinstance(ended.code, int):
            end(ended.code)
        raise


if __name__ == "__main__":
    run()
