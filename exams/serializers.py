"""How the API shows exams. What a student sees of a question is in `attempts/serializers.py`."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from exams import attachments
from exams.models import Attachment, Exam
from testpress.fields import ApiUrlField, ClockField, InstituteTimeField, MomentField


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


class ExamSerializer(ExamOutlineSerializer):
    """An exam in a list."""

    attempts_url = ApiUrlField("exams/{slug}/attempts/")
    comments_count = serializers.SerializerMethodField()

    class Meta(ExamOutlineSerializer.Meta):
        fields = [
            *ExamOutlineSerializer.Meta.fields[:16],
            "attempts_url",
            *ExamOutlineSerializer.Meta.fields[16:],
            "comments_count",
        ]
        read_only_fields = fields

    def get_comments_count(self, exam) -> int:
        return 0  # counted, and there are no comments yet


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
