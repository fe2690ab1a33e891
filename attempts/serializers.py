"""How the API shows attempts and answer sheets, and reads answers.

`Sitting…` is what a student sees while the attempt runs: nothing here may tell what is correct. `Review…` is what they
see of a completed one. As in `exams/serializers.py` the answers are written by hand, and a test holds them to the
fields.
"""

from django.http import QueryDict
from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from attempts.models import Attempt
from exams.models import Question
from exams.papers import PaperQuestion
from exams.serializers import ExamOutlineSerializer, ExamSerializer
from testpress.fields import (
    ApiUrlField,
    ClockField,
    MillisecondField,
    StrictCharField,
    api_url,
    clock,
    utc_milliseconds,
)

LONGEST_ESSAY = 100_000
LONGEST_SELECTION = 1000


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string", "enum": ["NA"]}]})
class RankField(serializers.ReadOnlyField):
    """A number, or "NA" where there is none."""


class OwnAttemptSerializer(serializers.ModelSerializer):
    """A student's own attempt as it shows inside its exam: 19 keys.

    From `Attempt.objects.for_detail()` or a prefetch with its question count, each with its `standing`
    (`ranking.attach_standings`). `context["now"]` is the one moment of the whole answer.
    """

    url = ApiUrlField("attempts/{id}/")
    user = serializers.CharField(source="user.username", read_only=True)
    date = MillisecondField()
    total_questions = serializers.IntegerField(source="question_count", read_only=True)
    review_url = ApiUrlField("attempts/{id}/review/")
    questions_url = ApiUrlField("attempts/{id}/questions/")
    percentile = serializers.FloatField(source="standing.percentile", read_only=True)
    last_started_time = MillisecondField()
    remaining_time = ClockField()
    time_taken = ClockField()
    rank = RankField(source="standing.rank")
    max_rank = serializers.IntegerField(source="standing.max_rank", read_only=True)
    percentage = serializers.CharField(read_only=True)

    class Meta:
        model = Attempt
        fields = [
            "url",
            "id",
            "user",
            "date",
            "total_questions",
            "score",
            "review_url",
            "questions_url",
            "percentile",
            "correct_count",
            "incorrect_count",
            "last_started_time",
            "remaining_time",
            "time_taken",
            "state",
            "rank",
            "max_rank",
            "percentage",
            "unanswered_count",
        ]
        read_only_fields = fields

    def to_representation(self, attempt):
        request, remaining = self.context["request"], attempt.shown_remaining_time(self.context["now"])
        url = api_url(request, f"attempts/{attempt.pk}/")
        return {
            "url": url,
            "id": attempt.pk,
            "user": request.user.username,  # nobody is shown another's attempts
            "date": utc_milliseconds(attempt.date),
            "total_questions": attempt.question_count,
            "score": f"{attempt.score:.2f}",
            "review_url": f"{url}review/",
            "questions_url": f"{url}questions/",
            "percentile": attempt.standing.percentile,
            "correct_count": attempt.correct_count,
            "incorrect_count": attempt.incorrect_count,
            "last_started_time": utc_milliseconds(attempt.last_started_time),
            "remaining_time": clock(remaining),
            "time_taken": clock(attempt.time_taken(remaining)),
            "state": attempt.state,
            "rank": attempt.standing.rank,
            "max_rank": attempt.standing.max_rank,
            "percentage": str(attempt.percentage),
            "unanswered_count": attempt.unanswered_count,
        }


class AttemptSerializer(OwnAttemptSerializer):
    """An attempt with its exam inside."""

    exam = ExamOutlineSerializer(read_only=True)
    commented_questions_count = serializers.IntegerField(read_only=True)
    comments_count = serializers.IntegerField(read_only=True)
    total_bonus = serializers.IntegerField(read_only=True)

    class Meta(OwnAttemptSerializer.Meta):
        fields = [
            *OwnAttemptSerializer.Meta.fields[:2],
            "exam",
            *OwnAttemptSerializer.Meta.fields[2:],
            "commented_questions_count",
            "comments_count",
            "total_bonus",
        ]
        read_only_fields = fields

    @cached_property
    def exam_serializer(self):
        return ExamOutlineSerializer(context=self.context)

    def written(self, attempt):
        """All that any of these serializers shows, in no order."""
        attempt.exam.question_count = attempt.question_count
        return super().to_representation(attempt) | {
            "exam": self.exam_serializer.to_representation(attempt.exam),
            "commented_questions_count": 0,  # there are no comments yet
            "comments_count": 0,
            "total_bonus": 0,
        }

    def to_representation(self, attempt):
        written = self.written(attempt)
        return {key: written[key] for key in self.Meta.fields}


class AttemptHistorySerializer(AttemptSerializer):
    """An attempt in the list of all: whether and how often its exam may still be taken."""

    allow_retake = serializers.BooleanField(source="exam.allow_retake", read_only=True)
    remaining_attempts = serializers.IntegerField(
        allow_null=True, read_only=True, help_text="null where there is no limit."
    )

    class Meta(AttemptSerializer.Meta):
        fields = [*AttemptSerializer.Meta.fields[:-1], "allow_retake", "remaining_attempts", "total_bonus"]
        read_only_fields = fields

    def written(self, attempt):
        limit = attempt.exam.attempt_limit
        return super().written(attempt) | {
            "allow_retake": attempt.exam.allow_retake,
            "remaining_attempts": None if limit is None else max(limit - attempt.attempts_used, 0),
        }


class ExamDetailSerializer(ExamSerializer):
    """An exam with the student's own attempts, newest first (`own_attempts`)."""

    attempts = OwnAttemptSerializer(source="own_attempts", many=True, read_only=True)

    class Meta(ExamSerializer.Meta):
        fields = [*ExamSerializer.Meta.fields[:17], "attempts", *ExamSerializer.Meta.fields[17:]]
        read_only_fields = fields

    @cached_property
    def attempt_serializer(self):
        return OwnAttemptSerializer(context=self.context)

    def to_representation(self, exam):
        attempts = [self.attempt_serializer.to_representation(attempt) for attempt in exam.own_attempts]
        written = super().to_representation(exam) | {"attempts": attempts}
        return {key: written[key] for key in self.Meta.fields}


# --- The answer sheet ------------------------------------------------------------------------------------------------


class SittingAnswerSerializer(serializers.Serializer):
    text_html = serializers.CharField()
    id = serializers.IntegerField()


class EssayTopicSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    title = serializers.CharField()


class SittingQuestionSerializer(serializers.Serializer):
    """A question of a cached paper (`PaperQuestion`), without anything that tells its key or marks."""

    question_html = serializers.CharField()
    direction = serializers.CharField(allow_null=True)
    answers = SittingAnswerSerializer(many=True)
    essay_topics = EssayTopicSerializer(many=True)
    subject = serializers.CharField()
    type = serializers.ChoiceField(choices=Question.Type.choices)

    @property
    def kind(self):
        """What the answer depends on besides the question."""
        return type(self)

    def to_representation(self, question: PaperQuestion):
        # Once for each question of a remembered paper, not once for each student who reads it.
        kind = self.kind
        if kind not in question.written:
            question.written[kind] = self.write(question)
        return question.written[kind]

    def write(self, question):
        return {
            "question_html": question.question_html,
            "direction": question.direction,
            "answers": self.answers_of(question),
            "essay_topics": [{"id": id, "title": title} for id, title in question.essay_topics],
            "subject": question.subject,
            "type": question.type,
        }

    def answers_of(self, question):
        return [{"text_html": text, "id": id} for id, text in question.answers]


class ReviewAnswerSerializer(SittingAnswerSerializer):
    is_correct = serializers.BooleanField(allow_null=True, help_text="null where the exam does not show answers")


class ReviewQuestionSerializer(SittingQuestionSerializer):
    """A question with its key and explanation; `null` and `""` where its exam does not show answers."""

    answers = ReviewAnswerSerializer(many=True)
    explanation_html = serializers.CharField(help_text='"" where the exam does not show answers')

    @property
    def kind(self):
        return type(self), self.context["show_answers"]

    def write(self, question):
        shown = self.context["show_answers"]
        return super().write(question) | {"explanation_html": question.explanation_html if shown else ""}

    def answers_of(self, question):
        shown = self.context["show_answers"]
        return [
            {"text_html": text, "id": id, "is_correct": id in question.correct if shown else None}
            for id, text in question.answers
        ]


class SittingItemSerializer(serializers.Serializer):
    """One question of a running attempt's sheet. `context["paper"]` is the exam's paper."""

    id = serializers.IntegerField()
    url = serializers.URLField()
    question = SittingQuestionSerializer()
    duration = serializers.CharField(
        allow_null=True, help_text='As Python prints a timedelta: "0:00:41.201331"; null until the first save.'
    )
    selected_answers = serializers.ListField(child=serializers.IntegerField())
    essay_text = serializers.CharField(allow_null=True)
    essay_topic = serializers.IntegerField(allow_null=True)
    review = serializers.BooleanField(allow_null=True)

    @cached_property
    def attempts_url(self):
        return api_url(self.context["request"], "attempts/")

    @cached_property
    def question_serializer(self):
        return SittingQuestionSerializer(context=self.context)

    def to_representation(self, item):
        # By hand, of an instance or a record.
        return {
            "id": item.id,
            "url": f"{self.attempts_url}{item.attempt_id}/questions/{item.id}/",
            "question": self.question_serializer.to_representation(self.context["paper"].by_id[item.question_id]),
            "duration": None if item.duration is None else str(item.duration),
            "selected_answers": item.selected_answers,
            "essay_text": item.essay_text,
            "essay_topic": item.essay_topic_id,
            "review": item.review,
        }


class ReviewItemSerializer(SittingItemSerializer):
    """One question of a completed attempt's sheet, with its key where the exam shows answers."""

    question = ReviewQuestionSerializer()

    @cached_property
    def question_serializer(self):
        return ReviewQuestionSerializer(context=self.context)


class StrictIntegerField(serializers.IntegerField):
    """A whole number; digits as text only in a form, which knows nothing else."""

    def to_internal_value(self, data):
        is_number = isinstance(data, int) and not isinstance(data, bool)
        if not is_number and not self.context.get("form"):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictBooleanField(serializers.BooleanField):
    """true, false or null; their spellings as text only in a form."""

    def to_internal_value(self, data):
        if not isinstance(data, bool) and data is not None and not self.context.get("form"):
            self.fail("invalid", input=data)
        return super().to_internal_value(data)


class AnswerIdsField(serializers.ListField):
    """Ids of answers; whatever is wrong with any of them is one message on the field, as with every other field."""

    child = StrictIntegerField()
    default_error_messages = {"not_ids": "Not a list of ids of answers."}

    def to_internal_value(self, data):
        try:
            return super().to_internal_value(data)
        except serializers.ValidationError as error:
            if isinstance(error.detail, dict):  # by place in the list
                self.fail("not_ids")
            raise


class AnswerSerializer(serializers.Serializer):
    """What a save may send; what is left out stays. Whether it fits the question is the lifecycle's to say."""

    selected_answers = AnswerIdsField(required=False, max_length=LONGEST_SELECTION, help_text="Ids; [] clears.")
    review = StrictBooleanField(required=False, allow_null=True, help_text="Marked to be looked at again.")
    essay_text = StrictCharField(
        required=False, allow_null=True, allow_blank=True, trim_whitespace=False, max_length=LONGEST_ESSAY
    )
    essay_topic = StrictIntegerField(required=False, allow_null=True, help_text="Id of one of the question's topics.")


# Made once: composing a serializer costs more than its work, and it keeps nothing of what it reads.
ANSWERS = {is_form: AnswerSerializer(partial=True, context={"form": is_form}) for is_form in (False, True)}
CHOICE = {"selected_answers", "review"}


def read_answer(data) -> dict:
    """What a request for a save holds, by field.

    :raises rest_framework.exceptions.ValidationError: by field.
    """
    return data if _is_plain_choice(data) else ANSWERS[isinstance(data, QueryDict)].run_validation(data)


def _is_plain_choice(data) -> bool:
    """Whether `data` is what nearly all saves send, in which the serializer would find nothing to refuse or convert."""
    if type(data) is not dict or not data.keys() <= CHOICE:
        return False
    selected, review = data.get("selected_answers", []), data.get("review")
    return (
        type(selected) is list
        and len(selected) <= LONGEST_SELECTION
        and all(type(answer) is int for answer in selected)
        and (review is None or type(review) is bool)
    )
