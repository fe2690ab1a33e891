"""Which exam a call is about, if its student may see it."""

from django.http import Http404

from accounts.authentication import USER
from accounts.models import User
from exams.models import Course, Exam, HasAttemptBy, HasBatches, HasBatchOf, QuestionCount
from testpress import rows
from testpress.exceptions import NotAvailable
from testpress.rows import Columns, Values

EXAM, COURSE = Columns(Exam, "e"), Columns(Course, "c")
QUESTIONS = QuestionCount.on("e.id")
OPEN = f"e.published AND (NOT {HasBatches.on('e.id')} OR {HasBatchOf.on('e.id', '%s')})"
ATTEMPTED = HasAttemptBy.on("e.id", "%s")


def exam_for(request, slug) -> Exam:
    """The exam of that slug with what its serializers show, if who asks may see it.

    Their row is read with it: the request's user is a `Bearer` before and confirmed afterwards.

    :raises AuthenticationFailed: their token has ended.
    :raises Http404: there is none, or it is a draft; NotAvailable: it is for other batches.
    """
    bearer = request.user
    found = rows.read(
        (EXAM, COURSE, USER, Values(QUESTIONS, OPEN, ATTEMPTED)),
        f"""FROM "{Exam._meta.db_table}" e JOIN "{Course._meta.db_table}" c ON c.id = e.course_id
        JOIN "{User._meta.db_table}" u ON u.id = %s WHERE e.slug = %s""",
        [bearer.pk, bearer.pk, bearer.pk, slug],
    )
    if found is None:
        bearer.confirmed()
        raise Http404
    exam, exam.course, user, (exam.question_count, is_open, attempted) = found
    request.user = bearer.confirmed(user)
    exam.open_to_student = bool(is_open)
    if not (attempted or exam.published):
        raise Http404
    if not (attempted or exam.open_to_student):
        raise NotAvailable
    return exam
