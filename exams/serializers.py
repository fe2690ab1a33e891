"""How the API shows exams. What a student sees of a question is in `attempts/serializers.py`.

The fields say what the schema says; the answers are written by hand: field by field would cost ten times as much, and
every call about an attempt shows an exam. A test holds that both name the same keys.
"""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from exams import attachments
from exams.models import Attachment, Exam
from testpress.fields import (
    ApiUrlField,
    ClockField,
    InstituteTimeField,
    MomentField,
    api_url,
    clock,
    institute_time,
    utc_shortest,
)


class ExamOutlineSerializer(serializers.ModelSerializer):
    """An exam inside an attempt: the list's fields without `attempts_url` and `comments_count`.

    Exams come from `Exam.objects.for_lists()`, or with their course and `question_count`.
    """

    url = ApiUrlField("exams/{slug}/")
    course = serializers.CharField(source="course.name", read_only=True)
    start_date = InstituteTimeField()
    end_date = InstituteTimeField(allow_null=True)
    duration = ClockField()
    number_of_questions = serializers.IntegerField(source="question_count", read_only=True)
    rank_publishing_date = MomentField(allow_null=True)
    created = MomentField()

    class Meta:
        model = Exam
        fields = [
            "url",
            "id",
            "title",
            "description",
            "course",
            "start_date",
            "end_date",
            "duration",
            "number_of_questions",
            "negative_marks",
            "mark_per_question",
            "template_type",
            "allow_retake",
            "max_retakes",
            "enable_ranks",
            "rank_publishing_date",
            "allow_pdf",
            "created",
            "slug",
            "variable_mark_per_question",
            "show_answers",
        ]
        read_only_fields = fields

    def to_representation(self, exam):
        return {
            "url": api_url(self.context["request"], f"exams/{exam.slug}/"),
            "id": exam.pk,
            "title": exam.title,
            "description": exam.description,
            "course": exam.course.name,
            "start_date": institute_time(exam.start_date),
            "end_date": exam.end_date and institute_time(exam.end_date),
            "duration": clock(exam.duration),
            "number_of_questions": exam.question_count,
            "negative_marks": f"{exam.negative_marks:.2f}",
            "mark_per_question": f"{exam.mark_per_question:.2f}",
            "template_type": exam.template_type,
            "allow_retake": exam.allow_retake,
            "max_retakes": exam.max_retakes,
            "enable_ranks": exam.enable_ranks,
            "rank_publishing_date": exam.rank_publishing_date and utc_shortest(exam.rank_publishing_date),
            "allow_pdf": exam.allow_pdf,
            "created": utc_shortest(exam.created),
            "slug": exam.slug,
            "variable_mark_per_question": exam.variable_mark_per_question,
            "show_answers": exam.show_answers,
        }


class ExamSerializer(ExamOutlineSerializer):
    """An exam in a list."""

    attempts_url = ApiUrlField("exams/{slug}/attempts/")
    comments_count = serializers.IntegerField(read_only=True)

    class Meta(ExamOutlineSerializer.Meta):
        fields = [
            *ExamOutlineSerializer.Meta.fields[:16],
            "attempts_url",
            *ExamOutlineSerializer.Meta.fields[16:],
            "comments_count",
        ]
        read_only_fields = fields

    def to_representation(self, exam):
        written = super().to_representation(exam) | {
            "attempts_url": api_url(self.context["request"], f"exams/{exam.slug}/attempts/"),
            "comments_count": 0,  # counted, and there are no comments yet
        }
        return {key: written[key] for key in ExamSerializer.Meta.fields}


class StudentAttachmentSerializer(serializers.ModelSerializer):
    """An attachment, for the students whose exam it is."""

    url = serializers.SerializerMethodField()

    class Meta:
        model = Attachment
        fields = ["id", "file_name", "content_type", "size", "url"]
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.URI)
    def get_url(self, attachment):
        return self.context["request"].build_absolute_uri(attachments.link(attachment))
