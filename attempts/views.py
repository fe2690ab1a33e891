"""A student's attempts: one line a call; the rules are in `lifecycle.py`."""

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.generics import GenericAPIView, ListAPIView
from rest_framework.response import Response

from accounts.authentication import LEFT_TO_THE_VIEW
from attempts import lifecycle, ranking
from attempts.errors import AttemptCompleted, AttemptNotCompleted
from attempts.filters import AttemptFilter, ReviewState
from attempts.grading import verdict
from attempts.lifecycle import ITEM
from attempts.models import Attempt, AttemptItem
from attempts.serializers import (
    AnswerSerializer,
    AttemptHistorySerializer,
    AttemptSerializer,
    OwnAttemptSerializer,
    ReviewItemSerializer,
    SittingItemSerializer,
    read_answer,
)
from exams import papers
from exams.access import exam_for
from testpress.openapi import errors
from testpress.rows import Listing
from testpress.views import LimitedBody


class AttemptView(LimitedBody, GenericAPIView):
    """What the calls about attempts share."""

    queryset = Attempt.objects.none()
    serializer_class = AttemptSerializer

    def get_serializer_context(self):
        return super().get_serializer_context() | {"now": timezone.now()}

    def paginate_queryset(self, queryset):
        attempts = super().paginate_queryset(queryset)
        ranking.attach_standings(attempts, now=timezone.now())
        return attempts

    def answer(self, attempt, status=200):
        self.request.user = attempt.user
        ranking.attach_standings([attempt], now=timezone.now())
        return Response(AttemptSerializer(attempt, context=self.get_serializer_context()).data, status)


@extend_schema(tags=["attempts"])
class ExamAttemptsView(AttemptView, ListAPIView):
    """Your attempts at one exam."""

    authentication_classes = [LEFT_TO_THE_VIEW]
    filter_backends = []
    serializer_class = OwnAttemptSerializer

    def get_queryset(self):
        exam = exam_for(self.request, self.kwargs["slug"])
        return Attempt.objects.of(self.request.user).filter(exam=exam).for_detail().newest_first()

    @extend_schema(responses={200: OwnAttemptSerializer(many=True), **errors(401, 403, 404)})
    def get(self, request, slug):
        """Your own attempts at it, newest first."""
        return self.list(request)

    @extend_schema(request=None, responses={200: AttemptSerializer, 201: AttemptSerializer, **errors(401, 403, 404)})
    def post(self, request, slug):
        """Start an attempt. 201: it has begun; 200: you have one that is running, its clock untouched."""
        exam = exam_for(request, slug)  # which makes the request's user known
        attempt, begun = lifecycle.start(exam, request.user)
        return self.answer(attempt, 201 if begun else 200)


@extend_schema(tags=["attempts"], responses={200: AttemptHistorySerializer(many=True), **errors(400, 401, 404)})
class AttemptListView(AttemptView, ListAPIView):
    """All your attempts, newest first."""

    serializer_class = AttemptHistorySerializer
    filterset_class = AttemptFilter

    def get_queryset(self):
        return Attempt.objects.of(self.request.user).for_detail().with_attempts_used().newest_first()


class OneAttemptView(AttemptView):
    """A call about an attempt, with which the lifecycle reads and confirms who asks."""

    authentication_classes = [LEFT_TO_THE_VIEW]


@extend_schema(tags=["attempts"], responses={200: AttemptSerializer, **errors(401, 403, 404)})
class AttemptDetailView(OneAttemptView):
    def get(self, request, pk):
        """One attempt. Reading changes nothing; without pauses, one whose time is over is completed first."""
        return self.answer(lifecycle.look(pk, request.user))


@extend_schema(tags=["attempts"], request=None, responses={200: AttemptSerializer, **errors(401, 403, 404)})
class AttemptStartView(OneAttemptView):
    def put(self, request, pk):
        """Go on after a pause, which is not charged, unless the exam knows no pauses."""
        return self.answer(lifecycle.resume(pk, request.user))


@extend_schema(tags=["attempts"], request=None, responses={200: AttemptSerializer, **errors(401, 403, 404)})
class AttemptHeartbeatView(OneAttemptView):
    def put(self, request, pk):
        """Charge the clock. A completed attempt is answered as it is."""
        return self.answer(lifecycle.heartbeat(pk, request.user))


@extend_schema(tags=["attempts"], request=None, responses={200: AttemptSerializer, **errors(401, 403, 404)})
class AttemptEndView(OneAttemptView):
    def put(self, request, pk):
        """Complete and grade the attempt. Asked again, it answers the same result."""
        return self.answer(lifecycle.end(pk, request.user))


def sheet_of(attempt, condition="") -> Listing:
    """The records of the attempt's items in their order, all or those that a condition on `i` leaves."""
    return Listing(
        [ITEM],
        f'FROM {ITEM.table} WHERE i.attempt_id = %s {condition} ORDER BY i."order", i.id',
        [attempt.pk],
        ITEM.record,
    )


class SheetView(LimitedBody, GenericAPIView):
    """What the calls about answer sheets share; as above the lifecycle confirms who asks."""

    authentication_classes = [LEFT_TO_THE_VIEW]
    queryset = AttemptItem.objects.none()
    serializer_class = SittingItemSerializer
    filter_backends = []

    def page(self, attempt, items):
        """A page of the attempt's items (a listing of them, or a list)."""
        context = self.get_serializer_context() | {
            "paper": papers.paper_of(attempt.exam),
            "show_answers": attempt.exam.show_answers,
        }
        page = self.paginate_queryset(items)
        return self.get_paginated_response(self.serializer_class(page, many=True, context=context).data)

    def answer(self, item, exam):
        context = self.get_serializer_context() | {"paper": papers.paper_of(exam)}
        return Response(self.serializer_class(item, context=context).data)

    def running_attempt(self):
        attempt = lifecycle.look(self.kwargs["pk"], self.request.user)
        if attempt.is_completed:
            raise AttemptCompleted
        return attempt


@extend_schema(tags=["attempts"])
class QuestionsView(SheetView):
    @extend_schema(responses={200: SittingItemSerializer(many=True), **errors(401, 403, 404)})
    def get(self, request, pk):
        """The paper of a running attempt with what you have answered, in its order."""
        attempt = self.running_attempt()
        return self.page(attempt, sheet_of(attempt))


@extend_schema(tags=["attempts"])
class QuestionView(SheetView):
    @extend_schema(responses={200: SittingItemSerializer, **errors(401, 403, 404)})
    def get(self, request, pk, item):
        """One question of a running attempt, with what you have answered."""
        attempt = self.running_attempt()
        return self.answer(get_object_or_404(attempt.items, pk=item), attempt.exam)

    @extend_schema(request=AnswerSerializer, responses={200: SittingItemSerializer, **errors(400, 401, 403, 404, 413)})
    def put(self, request, pk, item):
        """Save an answer. What is left out stays as it is; a 200 means it is kept and will be graded."""
        try:
            given = read_answer(request.data)
        except APIException:
            request.user.confirmed()  # what is wrong with a body is told to nobody whose token has ended
            raise
        saved = lifecycle.save_answer(pk, item, request.user, given)
        return self.answer(saved, saved.attempt.exam)


@extend_schema(tags=["attempts"])
class ReviewView(SheetView):
    serializer_class = ReviewItemSerializer

    @extend_schema(
        parameters=[OpenApiParameter("state", enum=ReviewState.values, description="Which questions; all by default.")],
        responses={200: ReviewItemSerializer(many=True), **errors(400, 401, 403, 404)},
    )
    def get(self, request, pk):
        """A completed attempt's sheet, with the key and the explanations where the exam shows answers."""
        attempt = lifecycle.look(pk, request.user)
        if not attempt.is_completed:
            raise AttemptNotCompleted
        return self.page(attempt, self.chosen(attempt))

    def chosen(self, attempt):
        """The items that the parameter `state` asks for."""
        asked = self.request.query_params.get("state") or ReviewState.ALL
        if asked not in ReviewState:
            raise ValidationError({"state": [f"One of {', '.join(ReviewState)}."]})
        state = ReviewState(asked)
        if state.tells_answers and not attempt.exam.show_answers:
            raise ValidationError({"state": ["This exam does not show which answers are correct."]})
        if state == ReviewState.ALL:
            return sheet_of(attempt)
        if state == ReviewState.REVIEW:
            return sheet_of(attempt, "AND i.review")
        questions = papers.paper_of(attempt.exam).by_id
        return [
            item
            for item in sheet_of(attempt)
            if verdict(questions[item.question_id], item.selected_answers).value == state
        ]
