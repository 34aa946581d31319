"""The command line. Every error of the tree ends here, as one line on stderr and exit code 1; never a traceback.

Exit codes: 0 done, 1 an error with its line, 2 a usage error, 130 interrupted before there was anything to stop.
"""

import sys

import typer

from api.commands.associations import associations, threads
from api.commands.audit import audit
from api.commands.check import check
from api.commands.crm import crm
from api.commands.demo import demo
from api.commands.erase import erase, erasures
from api.commands.export import export
from api.commands.jobs import jobs
from api.commands.lists import alerts, failures, mailboxes, subscriptions
from api.commands.operators import operators
from api.commands.policy import policy
from api.commands.query import query
from api.commands.review import review
from api.commands.serve import serve
from api.commands.settings import settings
from api.commands.simulate import simulate
from api.commands.status import status
from api.commands.tokens import tokens
from engine.errors import MailroomError

app = typer.Typer(
    name="mailroom",
    help="Keeps the Exchange mailboxes of many operators in step with DuckDB.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they would print local variables, secrets among them
    rich_markup_mode=None,
)
app.command()(serve)
app.command()(demo)
app.command()(simulate)
app.command()(status)
app.command()(failures)
app.command()(mailboxes)
app.command()(subscriptions)
app.command()(alerts)
app.command()(query)
app.command()(check)
app.add_typer(operators, name="operators", help="List, import, create, change, enable and disable operators.")
app.add_typer(crm, name="crm", help="Import, list, show and delete CRM records.")
crm.command()(review)
app.add_typer(associations, name="associations", help="List which emails concern which CRM records, and why.")
app.add_typer(threads, name="threads", help="List and show conversations across mailboxes.")
app.command()(audit)
app.command()(erase)
app.command()(export)
app.add_typer(policy, name="policy", help="Show what does not land, add to it for one operator, purge what has landed.")
app.add_typer(erasures, name="erasures", help="Show the receipts of erasures, and take an address off the list.")
app.add_typer(tokens, name="tokens", help="Give out, list and revoke tokens.")
app.add_typer(settings, name="settings", help="Show and change the Application Settings.")
app.add_typer(jobs, name="jobs", help="Show, switch and run the jobs.")


def main() -> None:
    """Run a command, and end the process with its exit code."""
    try:
        app(prog_name="mailroom")
    except MailroomError as error:
        from api.words import error_lines

        for line in error_lines(error):
            sys.stderr.write(f"mailroom: {line}\n")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
