"""Attempts in the admin site: to look at. `attempts/lifecycle.py` is their only writer."""

from django.contrib import admin

from attempts.models import Attempt, AttemptItem
from testpress.fields import clock
from testpress.html import excerpt


class ReadOnly:
    """Mixed into an admin class: nobody adds, changes or deletes here."""

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class ItemInline(ReadOnly, admin.TabularInline):
    """The answer sheet."""

    model = AttemptItem
    verbose_name_plural = "answer sheet"
    fields = readonly_fields = ["question_text", "chosen", "essay", "review", "time_spent"]

    def get_queryset(self, request):
        items = super().get_queryset(request).select_related("question", "essay_topic").order_by("order", "id")
        return items.prefetch_related("question__answers")

    @admin.display(description="question")
    def question_text(self, item):
        return excerpt(item.question.question_html, 200)

    @admin.display(description="chosen answers")
    def chosen(self, item):
        chosen = set(item.selected_answers)
        return "\n".join(
            f"{'✓' if answer.is_correct else '✗'} {excerpt(answer.text_html, 200)}"
            for answer in item.question.answers.all()
            if answer.pk in chosen
        )

    @admin.display
    def essay(self, item):
        return "\n".join(text for text in (item.essay_topic and item.essay_topic.title, item.essay_text) if text)

    @admin.display(description="duration")
    def time_spent(self, item):
        return None if item.duration is None else clock(item.duration)


@admin.register(Attempt)
class AttemptAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["user", "exam", "number", "state", "score", "percentage", "date", "remaining"]
    list_display_links = ["user", "exam"]
    list_filter = ["state", "exam__course", "date"]
    list_select_related = ["user", "exam"]
    search_fields = ["user__username", "exam__title"]
    date_hierarchy = "date"
    # Counting all attempts beside those found is a scan of the table, and its number helps nobody.
    show_full_result_count = False
    fields = [
        *("user", "exam", "number", "state", "date", "last_started_time", "allowed", "remaining", "score"),
        *("percentage", "correct_count", "incorrect_count", "unanswered_count", "ranked"),
    ]
    readonly_fields = ["allowed", "remaining"]
    inlines = [ItemInline]

    @admin.display(description="time allowed")
    def allowed(self, attempt):
        return clock(attempt.time_allowed)

    @admin.display(description="time remaining", ordering="remaining_time")
    def remaining(self, attempt):
        return clock(attempt.remaining_time)
