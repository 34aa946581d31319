"""What an answer of Exchange proves, step by step. Pure.

The first request of a check signs in, impersonates, opens the mailbox and finds the folders, all at once; its error
says how far it came.
"""

from collections.abc import Sequence
from dataclasses import replace

from engine import errors
from engine.checks.model import CheckStep, Result, Step
from engine.failures import failure_for
from engine.model import Operator, ResolvedFolders

_MET: dict[type[errors.MailroomError], Step] = {
    errors.EndpointInvalid: Step.REACHABLE,
    errors.VersionInvalid: Step.REACHABLE,
    errors.SourceUnavailable: Step.REACHABLE,
    errors.Throttled: Step.REACHABLE,
    errors.AuthenticationFailed: Step.AUTHENTICATION,
    errors.EwsBlocked: Step.AUTHENTICATION,
    errors.ImpersonationDenied: Step.IMPERSONATION,
    errors.MailboxNotFound: Step.ADDRESS,
    errors.AccountDisabled: Step.ADDRESS,
    errors.MailboxMoving: Step.FOLDERS,
}
"""The step of the first request that an error stands for; any other error is met at the folders."""

_ACCESS = (Step.REACHABLE, Step.AUTHENTICATION, Step.IMPERSONATION, Step.ADDRESS)
_PASSING = (errors.SourceUnavailable, errors.Throttled)
_OWN_WORDS = "Error"
"""How Exchange's own codes begin: an error that has one comes from a server that can be reached."""


def profile(operator: Operator) -> CheckStep:
    """What the operator's profile says."""
    if operator.email_sync:
        return CheckStep(Step.PROFILE, Result.OK, f"Email sync is on, for {operator.email}.")
    return CheckStep(
        Step.PROFILE,
        Result.WARNED,
        f"Email sync is off for {operator.email}.",
        remedy=f"If the other steps are well: mailroom operators enable {operator.operator_id}",
    )


def access(operator: Operator, error: errors.MailroomError | None) -> list[CheckStep]:
    """The steps that the first request has taken: up to the folders, or to the one its error stands for."""
    met = None if error is None else _met(error)
    steps: list[CheckStep] = []
    for name in _ACCESS:
        if error is not None and name is met:
            return [*steps, failed(name, error, operator)]
        if name is Step.IMPERSONATION and met is Step.ADDRESS:
            steps.append(CheckStep(name, Result.SKIPPED, "There is no such mailbox to act in."))
        else:
            steps.append(CheckStep(name, Result.OK, _words(name, operator)))
    return steps if error is None else [*steps, failed(Step.FOLDERS, error, operator)]


def folders(resolved: ResolvedFolders) -> CheckStep:
    """Whether every configured folder is there."""
    found = ", ".join(folder.name for folder in resolved.found)
    if not resolved.missing:
        return CheckStep(Step.FOLDERS, Result.OK, f"Found: {found}.")
    missing = ", ".join(resolved.missing)
    error = errors.FolderMissing(f"Not in this mailbox: {missing}." + (f" Found: {found}." if found else ""))
    return failed(Step.FOLDERS, error)


def failed(name: Step, error: errors.MailroomError, operator: Operator | None = None) -> CheckStep:
    """A step that met an error, with the words of the table; the right address where Exchange names it."""
    failure = failure_for(error)
    message, remedy = str(error), failure.remedy
    if isinstance(error, errors.SourceError) and error.standing:
        message = f"{message} (met by others a moment ago; Exchange was not asked again)"
    if isinstance(error, errors.MailboxNotFound) and error.corrected_address and operator is not None:
        who, right = operator.operator_id, error.corrected_address
        remedy = f"Correct it: mailroom operators set {who} --email {right}"
    return CheckStep(name, Result.FAILED, message, failure.code, failure.cause, remedy)


def skipped(name: Step, because: str) -> CheckStep:
    """A step that could not be taken, or was not asked for."""
    return CheckStep(name, Result.SKIPPED, because)


def completed(steps: Sequence[CheckStep]) -> list[CheckStep]:
    """All steps, those after the last one skipped because of the last that failed."""
    culprit = next((step.name for step in reversed(steps) if step.result is Result.FAILED), None)
    because = f"The step {culprit} has to work first." if culprit else "It was not asked for."
    taken = {step.name for step in steps}
    return [*steps, *(skipped(name, because) for name in Step if name not in taken)]


def lasted(steps: Sequence[CheckStep], seconds: float) -> list[CheckStep]:
    """Steps that were taken at once: the time goes to the last of them."""
    return [*steps[:-1], replace(steps[-1], seconds=seconds)]


def _met(error: errors.MailroomError) -> Step:
    step = next((_MET[kind] for kind in type(error).__mro__ if kind in _MET), Step.FOLDERS)
    in_its_words = isinstance(error, _PASSING) and (error.code or "").startswith(_OWN_WORDS)
    if step is Step.REACHABLE and in_its_words:
        return Step.FOLDERS
    return step


def _words(name: Step, operator: Operator) -> str:
    match name:
        case Step.REACHABLE:
            return "Exchange Web Services answer."
        case Step.AUTHENTICATION:
            return "The service account is let in."
        case Step.IMPERSONATION:
            return f"The service account may act as {operator.email}."
        case _:
            return f"{operator.email} is the mailbox's primary address."
