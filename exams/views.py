"""Exams as students see them, each with their own attempts where the contract shows them."""

from django.db.models import Prefetch
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.generics import ListAPIView, RetrieveAPIView

from accounts.authentication import LEFT_TO_THE_VIEW
from attempts import ranking
from attempts.errors import ExamNotStarted
from attempts.models import Attempt
from attempts.serializers import ExamDetailSerializer
from exams.access import VisibleExams, exam_for
from exams.filters import AnyStateExamFilter, ExamFilter, State, in_state
from exams.models import Attachment, Exam
from exams.serializers import ExamSerializer, StudentAttachmentSerializer
from testpress.filters import asks_for
from testpress.openapi import errors
from testpress.views import LimitedBody


class WithOwnAttempts:
    """Exams shown with their student's attempts, newest first, ranked in a fixed number of queries."""

    def get_serializer_context(self):
        return super().get_serializer_context() | {"now": timezone.now()}

    @staticmethod
    def own_attempts(user):
        return Attempt.objects.of(user).with_question_count().newest_first()

    @staticmethod
    def rank(exams):
        ranking.attach_standings([attempt for exam in exams for attempt in exam.own_attempts], now=timezone.now())


@extend_schema(tags=["exams"], responses={200: ExamSerializer(many=True), **errors(400, 401, 404)})
class ExamListView(LimitedBody, WithOwnAttempts, ListAPIView):
    """The exams you may see, the latest start first; with `state=history` each with your `attempts`."""

    authentication_classes = [LEFT_TO_THE_VIEW]
    filterset_class = AnyStateExamFilter
    queryset = Exam.objects.none()
    state = None

    @property
    def shows_attempts(self):
        # Of a repeated parameter the last counts, here as in the filter.
        return (self.state or self.request.query_params.get("state")) == State.HISTORY

    def get_queryset(self):
        if not self.state and not asks_for(self.filterset_class, self.request):
            return VisibleExams(self.request)
        user = self.request.user = self.request.user.confirmed()
        exams = Exam.objects.visible_to(user).for_lists()
        if self.state:
            exams = in_state(exams, self.state, user)
        if self.shows_attempts:
            exams = exams.prefetch_related(Prefetch("attempts", self.own_attempts(user), to_attr="own_attempts"))
        return exams

    def get_serializer_class(self):
        return ExamDetailSerializer if self.shows_attempts else ExamSerializer

    def paginate_queryset(self, queryset):
        exams = super().paginate_queryset(queryset)
        if self.shows_attempts:
            self.rank(exams)
        return exams


class ExamStateListView(ExamListView):
    """The exams you may see that are in one state."""

    filterset_class = ExamFilter


@extend_schema_view(get=extend_schema(summary="Exams that have started, have not ended, and you have not attempted"))
class AvailableExamsView(ExamStateListView):
    state = State.AVAILABLE


@extend_schema_view(get=extend_schema(summary="Exams that have not started yet"))
class UpcomingExamsView(ExamStateListView):
    state = State.UPCOMING


@extend_schema_view(
    get=extend_schema(
        summary="Exams you have attempted, with your attempts",
        responses={200: ExamDetailSerializer(many=True), **errors(400, 401, 404)},
    )
)
class HistoryExamsView(ExamStateListView):
    state = State.HISTORY


@extend_schema(tags=["exams"], responses={200: ExamDetailSerializer, **errors(401, 403, 404)})
class ExamView(LimitedBody, WithOwnAttempts, RetrieveAPIView):
    """One exam, with your own attempts at it, newest first."""

    authentication_classes = [LEFT_TO_THE_VIEW]
    serializer_class = ExamDetailSerializer
    lookup_field = "slug"
    queryset = Exam.objects.none()

    def get_object(self):
        exam = exam_for(self.request, self.kwargs["slug"])
        exam.own_attempts = list(self.own_attempts(self.request.user).filter(exam=exam))
        for attempt in exam.own_attempts:
            attempt.exam = exam
        self.rank([exam])
        return exam


@extend_schema(
    tags=["exams"],
    summary="An exam's attachments",
    description="Files that belong to the exam, from its start on, or for who has an attempt at it. Anybody can "
    "download from a `url`, without a token, for five minutes.",
    responses={200: StudentAttachmentSerializer(many=True), **errors(401, 403, 404)},
)
class ExamAttachmentsView(LimitedBody, ListAPIView):
    authentication_classes = [LEFT_TO_THE_VIEW]
    serializer_class = StudentAttachmentSerializer
    filter_backends = []
    queryset = Attachment.objects.none()

    def get_queryset(self):
        exam = exam_for(self.request, self.kwargs["slug"])
        own = Attempt.objects.of(self.request.user).filter(exam=exam)
        if not (exam.has_started(timezone.now()) or own.exists()):
            raise ExamNotStarted
        return exam.attachments.order_by("id")
