#!/usr/bin/python3
"""Has azure-cli's own parser read commands, without running them and without a network.

Commands come on standard input as a JSON list of lists of words, without `az`. On standard output: a JSON list of what is
wrong with each, or null. It wants the Python that Debian's azure-cli was installed for.
"""
import contextlib
import io
import json
import os
import re
import shutil
import sys
import tempfile

FOLDER = tempfile.mkdtemp(prefix="dropscore-az-")
os.environ["AZURE_CONFIG_DIR"] = FOLDER  # nothing of the user's counts
os.environ["AZURE_CORE_COLLECT_TELEMETRY"] = "no"

from azure.cli.core import get_default_cli  # noqa: E402
from knack.events import EVENT_INVOKER_POST_PARSE_ARGS  # noqa: E402


class Parsed(BaseException):
    """Ends a command where it would begin to run."""


def stop(_, **__):
    raise Parsed


def fault(words):
    for _ in range(99):
        try:
            return fault_if_it_loads(words)
        except ImportError as missing:
            # Debian's az eventgrid wants classes that Debian's library of them has not. Its parser wants none of them.
            name = re.search(r"cannot import name '(\w+)'", str(missing))
            if not name:
                raise
            setattr(sys.modules[missing.name], name[1], type(name[1], (), {}))
    return "does not load"


def fault_if_it_loads(words):
    cli = get_default_cli()
    cli.register_event(EVENT_INVOKER_POST_PARSE_ARGS, stop)
    invocation = cli.invocation_cls(cli_ctx=cli, parser_cls=cli.parser_cls, commands_loader_cls=cli.commands_loader_cls,
                                    help_cls=cli.help_cls)
    cli.invocation = invocation
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            invocation.execute(list(words))
    except Parsed:
        return None
    except SystemExit as end:
        return said.getvalue().strip() or f"ended with {end.code}"
    return "was not read as a command"


try:
    json.dump([fault(words) for words in json.load(sys.stdin)], sys.stdout)
finally:
    shutil.rmtree(FOLDER)
