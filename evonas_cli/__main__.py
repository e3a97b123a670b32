"""Entry point of the `evonas` command."""

from evonas_cli.cli.app import main

if __name__ == "__main__":
    main()
