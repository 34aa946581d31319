"""The jobs over HTTP: how they are scheduled and went, and what changes that."""

from dataclasses import asdict
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field, StrictBool, StrictStr

from api.auditing import audit
from api.bodies import parse_body
from api.keys import MAILROOM, PRINCIPAL
from api.openapi.lists import page_answer, page_parameters
from api.parameters import read_parameters
from api.problems import Refusal
from api.resources.lists import Filter, answer_page
from api.routes import Answer, Body, Parameter, Route
from api.rows import dump_json
from api.schemas.jobs import JobShown, RunShown
from api.schemas.shared import Patch, page_of
from engine.access.audit import Action, changes
from engine.access.roles import Permission, require_job
from engine.errors import UnknownJob
from engine.jobs.model import Job, JobChange, JobName, JobRun, JobState, Outcome, Trigger
from engine.listing import View
from engine.ports import Mailroom

_EXAMPLE = (
    'Send JSON with what is to change, of {"enabled": true, "every": "15m", "timezone": "UTC", "access_group": ""}.'
)
_LONGEST = 200
_RUNS = {
    "outcome": Filter("outcome", tuple(Outcome)),
    "trigger": Filter("trigger", tuple(Trigger)),
    "run": Filter("run_id"),
}


class JobPatch(Patch):
    """The body of a PATCH. What is left out stays as it is; null is no value."""

    enabled: StrictBool | None = None
    every: Annotated[StrictStr | None, Field(min_length=1, max_length=_LONGEST)] = None
    timezone: Annotated[StrictStr | None, Field(min_length=1, max_length=_LONGEST)] = None
    access_group: Annotated[StrictStr | None, Field(max_length=_LONGEST)] = None


async def show_all(request: web.Request) -> web.Response:
    """``GET /api/v1/jobs``."""
    read_parameters(request, ())
    states = await request.app[MAILROOM].jobs()
    return web.json_response({"items": [state_of(state) for state in states], "next": None}, dumps=dump_json)


async def change(request: web.Request) -> web.Response:
    """``PATCH /api/v1/jobs/{name}``."""
    name = _name(request)
    patch = parse_body(JobPatch, await request.read(), _EXAMPLE)
    if not patch.model_fields_set:
        raise Refusal(400, "BAD_REQUEST", "body: it changes nothing.", _EXAMPLE)
    mailroom = request.app[MAILROOM]
    was = await _job(mailroom, name)
    state = await mailroom.change_job(name, JobChange(**patch.model_dump()))
    audit(request, Action.JOBS_CHANGE, name, *changes(asdict(was), asdict(state.job)))
    return web.json_response(state_of(state), dumps=dump_json)


async def run(request: web.Request) -> web.Response:
    """``POST /api/v1/jobs/{name}/run``: the run has begun when it is answered, not ended."""
    name, mailroom = _name(request), request.app[MAILROOM]
    require_job(request[PRINCIPAL], Permission.JOBS_RUN, await _job(mailroom, name))
    begun = await mailroom.run_job(name)
    audit(request, Action.JOBS_RUN, name, after={"run_id": begun.run_id})
    return web.json_response(run_of(begun), status=202, dumps=dump_json)


async def runs(request: web.Request) -> web.Response:
    """``GET /api/v1/jobs/{name}/runs``, newest first."""
    return await answer_page(request, View.JOB_RUNS, _RUNS, {"job": _name(request)})


def state_of(state: JobState) -> dict[str, Any]:
    """A job as it is answered."""
    latest = None if state.latest is None else run_of(state.latest)
    return {**asdict(state.job), "next_run_at": state.next_run_at, "latest": latest}


def run_of(run: JobRun) -> dict[str, Any]:
    """A run as it is answered: the columns of the view ``job_runs``. ``seconds`` is None while it is under way."""
    seconds = None if run.finished_at is None else (run.finished_at - run.started_at).total_seconds()
    return {**asdict(run), "seconds": seconds}


async def _job(mailroom: Mailroom, name: JobName) -> Job:
    found = [state.job for state in await mailroom.jobs() if state.job.name is name]
    if not found:
        raise UnknownJob(f"There is no job {name} here.")
    return found[0]


def _name(request: web.Request) -> JobName:
    given = request.match_info["name"]
    try:
        return JobName(given)
    except ValueError:
        raise UnknownJob(f"There is no job {given[:100]!r}. The jobs are {_named()}.") from None


def _named() -> str:
    *some, last = JobName
    return f"{', '.join(some)} and {last}"


_JOB = Parameter("name", "The job.", JobName)

ROUTES = (
    Route(
        "GET",
        "/api/v1/jobs",
        show_all,
        Permission.JOBS_READ,
        summary="The jobs: schedule, latest run, next run",
        answers={200: Answer("Both jobs.", page_of(JobShown))},
        refuses={400: "It takes no parameters."},
    ),
    Route(
        "PATCH",
        "/api/v1/jobs/{name}",
        change,
        Permission.JOBS_WRITE,
        summary="Enable, disable or reschedule a job, or set its access group",
        parameters=(_JOB,),
        body=Body(JobPatch, "What is to change; what is left out stays.", example={"every": "15m"}),
        answers={200: Answer("The job as it is now.", JobShown)},
    ),
    Route(
        "POST",
        "/api/v1/jobs/{name}/run",
        run,
        Permission.JOBS_RUN,
        summary="Run a job now",
        parameters=(_JOB,),
        answers={202: Answer("The run that has begun.", RunShown)},
        refuses={409: "A run of it is under way, or it is disabled."},
    ),
    Route(
        "GET",
        "/api/v1/jobs/{name}/runs",
        runs,
        Permission.JOBS_READ,
        summary="The runs of a job, newest first",
        parameters=(_JOB, *page_parameters(_RUNS)),
        answers=page_answer(RunShown),
    ),
)
