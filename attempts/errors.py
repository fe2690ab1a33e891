"""What the rules of an attempt refuse: 403, each with the code that clients switch on."""

from rest_framework.exceptions import ValidationError

from testpress.exceptions import RuleBroken


class AttemptCompleted(RuleBroken):
    code = "attempt_completed"
    default_detail = "This attempt is completed."


class AttemptNotCompleted(RuleBroken):
    code = "attempt_not_completed"
    default_detail = "This attempt is not completed yet."


class ExamNotStarted(RuleBroken):
    code = "exam_not_started"
    default_detail = "This exam has not started yet."


class ExamEnded(RuleBroken):
    code = "exam_ended"
    default_detail = "This exam has ended."


class RetakeNotAllowed(RuleBroken):
    code = "retake_not_allowed"
    default_detail = "This exam can be taken only once."


class NoAttemptsLeft(RuleBroken):
    code = "no_attempts_left"
    default_detail = "You have no attempts left at this exam."


def unfit_answer(messages: dict[str, str]) -> ValidationError:
    """400 that names each field whose value does not fit the question."""
    return ValidationError({field: [message] for field, message in messages.items()})
