"""Which exams a call may show to who asks, whose row is read with them.

The request's user is a `Bearer` before and confirmed afterwards. These calls come by the hundred a second, so their SQL
is written by hand; `Exam.objects.visible_to` says the same for what is filtered further.
"""

from django.http import Http404

from accounts.authentication import USER
from exams.models import Course, Exam, HasAttemptBy, HasBatches, HasBatchOf, QuestionCount
from testpress import rows
from testpress.exceptions import NotAvailable
from testpress.rows import Columns, Listing, Values

EXAM, COURSE = Columns(Exam, "e"), Columns(Course, "c")
OPEN = f"e.published AND (NOT {HasBatches.on('e.id')} OR {HasBatchOf.on('e.id', 'u.id')})"
ATTEMPTED = HasAttemptBy.on("e.id", "u.id")
PARTS = (EXAM, COURSE, USER, Values(QuestionCount.on("e.id")))
TABLES = f"FROM {EXAM.table} JOIN {COURSE.table} ON c.id = e.course_id JOIN {USER.table} ON u.id = %s"


def exam_for(request, slug) -> Exam:
    """The exam of that slug with what its serializers show, if who asks may see it.

    :raises AuthenticationFailed: their token has ended.
    :raises Http404: there is none, or it is a draft; NotAvailable: it is for other batches.
    """
    bearer = request.user
    found = rows.read((*PARTS, Values(OPEN, ATTEMPTED)), f"{TABLES} WHERE e.slug = %s", [bearer.pk, slug])
    if found is None:
        bearer.confirmed()
        raise Http404
    exam, user = _exam_and_user(found)
    request.user = bearer.confirmed(user)
    is_open, attempted = found[-1]
    exam.open_to_student = bool(is_open)
    if not (attempted or exam.published):
        raise Http404
    if not (attempted or is_open):
        raise NotAvailable
    return exam


class VisibleExams(Listing):
    """All exams that who asks may see, the latest start first.

    Reading a part of them raises AuthenticationFailed where their token has ended.
    """

    def __init__(self, request):
        self.request = request
        sql = f"{TABLES} WHERE ({OPEN}) OR {ATTEMPTED} ORDER BY e.start_date DESC, e.id"
        super().__init__(PARTS, sql, [request.user.pk], lambda row: _exam_and_user(rows.made(PARTS, row)))

    def part(self, start, stop):
        found, rows_in_all = super().part(start, stop)
        self.request.user = self.request.user.confirmed(found[0][1] if found else None)
        return [exam for exam, _ in found], rows_in_all


def _exam_and_user(found):
    exam, exam.course, user, [exam.question_count] = found[: len(PARTS)]
    return exam, user
