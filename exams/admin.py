"""Exams and their questions in the admin site.

Every edit locks the exams it touches before it reads what is edited, keeps what is frozen (`exams/papers.py`), and
raises the papers' versions, all in one transaction. A page that was opened before somebody began the exam still shows
fields that are frozen by the time it is sent: those may come back unchanged, and are refused otherwise.
"""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import actions
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Count, F, Max, OuterRef, Q
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.html import format_html

from exams import papers
from exams.attachment_admin import AttachmentInline
from exams.importing import read_clock
from exams.models import RESERVED_SLUGS, Answer, Course, EssayTopic, Exam, ExamQuestion, Question, Subject
from testpress.fields import clock
from testpress.html import HTMLField, excerpt

RANKS_WITH_PAUSES = "Ranks with pauses: the clock binds nobody who stops it."


def is_frozen(obj):
    """Whether an exam or question that `LockingAdmin` has read may no longer change in what counts."""
    return getattr(obj, "frozen", False)


class LockingAdmin(admin.ModelAdmin):
    """Locks the exams that an edit or deletion touches before it reads what is edited."""

    # A field that every page with changeable frozen fields sends back.
    sentinel = None

    def lock(self, pks):
        """Locks what the rows `pks` of this model belong to; the `pks` of those that are frozen."""
        raise NotImplementedError

    def under_way(self, obj):
        """Whether `obj` is frozen, without a lock: for showing."""
        raise NotImplementedError

    def is_shut(self, request, obj):
        """Whether the page shows what is frozen as text. A page from before the freeze has it in fields."""
        return is_frozen(obj) and self.sentinel not in request.POST

    def get_object(self, request, object_id, from_field=None):
        obj = super().get_object(request, object_id, from_field)
        if obj is None:
            return None
        if request.method != "POST":
            obj.frozen = self.under_way(obj)
            return obj
        frozen = self.lock([obj.pk])
        # Read again: what was read before the lock may have changed.
        if obj := super().get_object(request, object_id, from_field):
            obj.frozen = obj.pk in frozen
        return obj

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except papers.Overtaken as overtaken:
            return self._try_again(request, overtaken)

    def delete_view(self, request, object_id, extra_context=None):
        try:
            return super().delete_view(request, object_id, extra_context)
        except papers.Overtaken as overtaken:
            return self._try_again(request, overtaken)

    def _try_again(self, request, overtaken):
        self.message_user(request, overtaken.message, messages.ERROR)
        return redirect(request.get_full_path())

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and not is_frozen(obj)

    def get_actions(self, request):
        named = super().get_actions(request)
        if "delete_selected" in named:
            _, name, description = named["delete_selected"]
            named["delete_selected"] = (delete_selected, name, description)
        return named

    def refuse_deletion(self, request, objects):
        names = ", ".join(f"“{obj}”" for obj in objects)
        self.message_user(
            request, f"Students have begun {names}. What they worked on cannot be deleted.", messages.ERROR
        )


def delete_selected(modeladmin, request, queryset):
    """Django's action, in one transaction with the lock; what is frozen is named, not deleted."""
    try:
        with transaction.atomic():
            frozen = modeladmin.lock(list(queryset.values_list("pk", flat=True)))
            if not frozen:
                return actions.delete_selected(modeladmin, request, queryset)
    except papers.Overtaken as overtaken:
        modeladmin.message_user(request, overtaken.message, messages.ERROR)
        return None
    modeladmin.refuse_deletion(request, modeladmin.model.objects.filter(pk__in=frozen)[:10])
    return None


# --- Courses and subjects --------------------------------------------------------------------------------------------


@admin.register(Course)
class CourseAdmin(admin.ModelAdmin):
    list_display = ["name", "exams"]
    search_fields = ["name"]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(exam_count=Count("exams"))

    @admin.display(ordering="exam_count")
    def exams(self, course):
        return course.exam_count


@admin.register(Subject)
class SubjectAdmin(LockingAdmin):
    """A subject's name is part of every paper with a question of it."""

    list_display = ["name", "questions"]
    search_fields = ["name"]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(question_count=Count("questions"))

    @admin.display(ordering="question_count")
    def questions(self, subject):
        return subject.question_count

    def lock(self, pks):
        # All of them: another edit may just be putting one of the subject's questions into an exam.
        papers.lock(Exam.objects.all())
        list(Subject.objects.filter(pk__in=pks).order_by("pk").select_for_update().values_list("pk"))
        return frozenset()

    def under_way(self, subject):
        return False

    def save_model(self, request, subject, form, change):
        super().save_model(request, subject, form, change)
        if change:
            papers.raise_versions(papers.exams_with(subject.questions.values("pk")))


# --- Exams -----------------------------------------------------------------------------------------------------------


class ClockFormField(forms.Field):
    """A duration typed and shown as H:MM:SS, hours beyond 23 as well."""

    widget = admin.widgets.AdminTextInputWidget

    def prepare_value(self, value):
        return value if value is None or isinstance(value, str) else clock(value)

    def to_python(self, value):
        if value in self.empty_values:
            return None
        try:
            return read_clock(str(value).strip())
        except ValueError:
            raise ValidationError("Write H:MM:SS, such as 1:30:00.", code="invalid") from None


class ExamForm(forms.ModelForm):
    def clean_slug(self):
        slug = self.cleaned_data["slug"]
        if slug in RESERVED_SLUGS:
            raise ValidationError(f"{slug} is a reserved word.", code="reserved")
        return slug

    def clean(self):
        cleaned = super().clean()
        start, end = cleaned.get("start_date"), cleaned.get("end_date")
        if start and end and end <= start:
            self.add_error("end_date", "The end must come after the start.")
        if is_frozen(self.instance):
            papers.refuse(self.changed_data, papers.FROZEN_EXAM_FIELDS)
        return cleaned


class OrderedForm(forms.ModelForm):
    """A row of an inline table with an `order`, which a new row may leave to `number_last`."""

    order = forms.IntegerField(min_value=0, max_value=2**31 - 1, required=False, help_text="Empty: at the end.")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            self.initial["order"] = None


def number_last(formset, stored):
    """Gives the new rows without an `order` the numbers after all others, those in the queryset `stored` included."""
    rows = [form.instance for form in formset.forms if form.has_changed() or not form.instance._state.adding]
    last = max((row.order for row in rows if row.order is not None), default=-1)
    last = max(last, stored.aggregate(last=Max("order", default=-1))["last"])
    for number, row in enumerate((row for row in rows if row.order is None), last + 1):
        row.order = number


class PlaceFormSet(forms.BaseInlineFormSet):
    """The questions of an exam: none comes, goes, moves or changes its marks once the exam is under way."""

    def clean(self):
        super().clean()
        if is_frozen(self.instance) and any(form.has_changed() for form in self.forms):
            raise ValidationError(papers.UNDER_WAY)


class PlaceForm(forms.ModelForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # What did not change is not checked again: that costs statements for each of some hundred questions.
        self.empty_permitted, self.use_required_attribute = True, False


class PlaceInline(admin.TabularInline):
    """The questions that an exam has. Another table adds new ones: it alone needs a field to choose a question."""

    model = ExamQuestion
    form = PlaceForm
    formset = PlaceFormSet
    verbose_name_plural = "questions"
    fields = ["order", "question_text", "type", "mark", "negative_mark"]
    readonly_fields = ["question_text", "type"]
    max_num = 0

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("question", "exam").order_by("order", "id")

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and not self._is_shut(request, obj)

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and not self._is_shut(request, obj)

    def _is_shut(self, request, exam):
        return self.admin_site.get_model_admin(Exam).is_shut(request, exam)

    @admin.display(description="question")
    def question_text(self, place):
        return format_html(
            '<a href="{}">{}</a>',
            f"../../../question/{place.question_id}/change/",
            excerpt(place.question.question_html),
        )

    @admin.display
    def type(self, place):
        return place.question.get_type_display()


class NewPlaceFormSet(PlaceFormSet):
    def clean(self):
        super().clean()
        new = [form for form in self.forms if form.has_changed() and form.is_valid()]
        number_last(self, ExamQuestion.objects.filter(exam=self.instance.pk))
        # An import that is replacing one of them has done so, or waits.
        questions = {form.instance.question_id for form in new}
        if questions != papers.lock_questions(questions):
            raise ValidationError("One of these questions has just been deleted.")
        # Django checks this within one table only.
        if ExamQuestion.objects.filter(exam=self.instance.pk, question__in=questions).exists():
            raise ValidationError("A question can be in an exam only once.")


class NewPlaceInline(admin.TabularInline):
    model = ExamQuestion
    form = OrderedForm
    formset = NewPlaceFormSet
    verbose_name = "question to add"
    verbose_name_plural = "questions to add"
    fields = ["order", "question", "mark", "negative_mark"]
    autocomplete_fields = ["question"]
    extra = 3
    can_delete = False

    def get_queryset(self, request):
        return super().get_queryset(request).none()

    def has_view_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return [(state, state.capitalize()) for state in ("draft", "upcoming", "open", "ended")]

    def queryset(self, request, queryset):
        now = timezone.now()
        match self.value():
            case "draft":
                return queryset.filter(published=False)
            case "upcoming":
                return queryset.published().upcoming(now=now)
            case "open":
                return queryset.published().filter(Q(end_date=None) | Q(end_date__gt=now), start_date__lte=now)
            case "ended":
                return queryset.published().filter(end_date__lte=now)
        return queryset


@admin.register(Exam)
class ExamAdmin(LockingAdmin):
    form = ExamForm
    sentinel = "mark_per_question"
    actions = ["publish", "unpublish"]
    list_display = ["title", "course", "state", "start_date", "end_date", "length", "questions", "attempts"]
    list_filter = [StateFilter, "published", "course", "batches"]
    list_select_related = ["course"]
    date_hierarchy = "start_date"
    search_fields = ["title", "slug", "course__name"]
    filter_horizontal = ["batches"]
    prepopulated_fields = {"slug": ["title"]}
    formfield_overrides = {models.DurationField: {"form_class": ClockFormField}}
    fieldsets = [
        (None, {"fields": ["title", "slug", "description", "course"]}),
        ("Who may take it", {"fields": ["published", "batches"]}),
        ("When", {"fields": ["start_date", "end_date", "duration", "allow_pause"]}),
        ("Marks", {"fields": ["mark_per_question", "negative_marks", "variable_mark_per_question"]}),
        ("Again", {"fields": ["allow_retake", "max_retakes"]}),
        ("Ranks", {"fields": ["enable_ranks", "rank_publishing_date"]}),
        ("Papers", {"fields": ["show_answers", "allow_pdf", "template_type"]}),
    ]

    def lock(self, pks):
        return frozenset(exam.pk for exam in papers.lock(Exam.objects.filter(pk__in=pks)) if exam.frozen)

    def under_way(self, exam):
        return exam.attempts.exists()

    def get_queryset(self, request):
        attempts = Exam.objects.filter(pk=OuterRef("pk")).order_by().values("pk").annotate(n=Count("attempts"))
        return super().get_queryset(request).with_question_count().annotate(attempt_count=attempts.values("n"))

    @admin.display(ordering="start_date")
    def state(self, exam):
        now = timezone.now()
        if not exam.published:
            return "draft"
        if not exam.has_started(now):
            return "upcoming"
        return "ended" if exam.has_ended(now) else "open"

    @admin.display(description="duration", ordering="duration")
    def length(self, exam):
        return clock(exam.duration)

    @admin.display(ordering="question_count")
    def questions(self, exam):
        return exam.question_count

    @admin.display(ordering="attempt_count")
    def attempts(self, exam):
        return exam.attempt_count

    def get_fieldsets(self, request, exam=None):
        notes = {}
        if is_frozen(exam):
            notes["Marks"] = "Students have begun this exam: its questions, marks and pauses can no longer be changed."
        if exam and exam.enable_ranks and exam.allow_pause:
            notes["Ranks"] = RANKS_WITH_PAUSES
        return [
            (name, options | {"description": format_html('<strong class="warning">{}</strong>', notes[name])})
            if name in notes
            else (name, options)
            for name, options in super().get_fieldsets(request, exam)
        ]

    def get_readonly_fields(self, request, exam=None):
        return sorted(papers.FROZEN_EXAM_FIELDS) if self.is_shut(request, exam) else []

    def get_inlines(self, request, exam):
        if exam is None:
            return [NewPlaceInline]
        inlines = [PlaceInline] if self.is_shut(request, exam) else [PlaceInline, NewPlaceInline]
        return [*inlines, AttachmentInline]

    def get_prepopulated_fields(self, request, exam=None):
        # An address that is in use does not follow its title.
        return {} if exam else super().get_prepopulated_fields(request, exam)

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        exam = form.instance
        if change:
            papers.raise_versions(Exam.objects.filter(pk=exam.pk))
        if exam.enable_ranks and exam.allow_pause:
            self.message_user(request, RANKS_WITH_PAUSES, messages.WARNING)

    def delete_view(self, request, object_id, extra_context=None):
        # Django would list every attempt as the reason.
        exam = self.get_queryset(request).filter(pk=object_id).first() if str(object_id).isdecimal() else None
        if exam and self.under_way(exam):
            self.refuse_deletion(request, [exam])
            return redirect("admin:exams_exam_change", exam.pk)
        return super().delete_view(request, object_id, extra_context)

    @admin.action(permissions=["change"], description="Publish selected exams")
    def publish(self, request, queryset):
        self._publish(request, queryset, True)

    @admin.action(permissions=["change"], description="Make selected exams drafts that no student sees")
    def unpublish(self, request, queryset):
        self._publish(request, queryset, False)

    def _publish(self, request, queryset, published):
        pks = list(queryset.values_list("pk", flat=True))
        with transaction.atomic():
            self.lock(pks)
            changed = (
                Exam.objects.filter(pk__in=pks, published=not published)
                .order_by()
                .update(published=published, paper_version=F("paper_version") + 1)
            )
        self.message_user(
            request, f"{changed} {'exam is' if changed == 1 else 'exams are'} now {'' if published else 'un'}published."
        )


# --- Questions -------------------------------------------------------------------------------------------------------


class QuestionForm(forms.ModelForm):
    def clean(self):
        cleaned = super().clean()
        if is_frozen(self.instance):
            papers.refuse(self.changed_data, papers.FROZEN_QUESTION_FIELDS)
        return cleaned


class PartFormSet(forms.BaseInlineFormSet):
    """The answers or topics of a question: once it is under way none comes, goes or moves, and keys stay."""

    frozen_fields = frozenset()

    def clean(self):
        super().clean()
        if is_frozen(self.instance):
            for form in self.forms:
                if form.has_changed() and (form.instance._state.adding or self._should_delete_form(form)):
                    raise ValidationError(papers.UNDER_WAY)
                try:
                    papers.refuse(form.changed_data, self.frozen_fields)
                except ValidationError as refusal:
                    form.add_error(None, refusal)
        elif not any(self.errors):
            number_last(self, self.model.objects.none())
            self.check([form.instance for form in self.forms if self._stays(form)])

    def _stays(self, form):
        return not self._should_delete_form(form) and (form.has_changed() or not form.instance._state.adding)

    def check(self, parts):
        """Raises ValidationError where `parts` do not fit the question's type."""


class AnswerFormSet(PartFormSet):
    frozen_fields = papers.FROZEN_ANSWER_FIELDS

    def check(self, answers):
        if problem := papers.wrong_key(self.instance.type, [answer.is_correct for answer in answers]):
            raise ValidationError(f"{problem[0].upper()}{problem[1:]}.")


class EssayTopicFormSet(PartFormSet):
    frozen_fields = papers.FROZEN_TOPIC_FIELDS

    def check(self, topics):
        if topics and self.instance.type != Question.Type.ESSAY:
            raise ValidationError("Only an essay (E) has topics.")


class PartInline(admin.TabularInline):
    form = OrderedForm
    extra = 0
    formfield_overrides = {HTMLField: {"widget": forms.Textarea(attrs={"rows": 2, "cols": 80})}}

    def _is_shut(self, request, question):
        return self.admin_site.get_model_admin(Question).is_shut(request, question)

    def has_add_permission(self, request, obj=None):
        return super().has_add_permission(request, obj) and not self._is_shut(request, obj)

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and not self._is_shut(request, obj)

    def get_readonly_fields(self, request, obj=None):
        return sorted(self.formset.frozen_fields) if self._is_shut(request, obj) else []


class AnswerInline(PartInline):
    model = Answer
    formset = AnswerFormSet
    fields = ["order", "text_html", "is_correct"]

    def get_extra(self, request, obj=None, **kwargs):
        return 0 if obj else 4


class EssayTopicInline(PartInline):
    model = EssayTopic
    formset = EssayTopicFormSet
    fields = ["order", "title"]


@admin.register(Question)
class QuestionAdmin(LockingAdmin):
    form = QuestionForm
    sentinel = "type"
    list_display = ["id", "text", "type", "subject", "answers", "exams"]
    list_display_links = ["id", "text"]
    list_filter = ["type", "subject", "exam_questions__exam__course"]
    list_select_related = ["subject"]
    search_fields = ["question_html", "subject__name"]
    autocomplete_fields = ["subject"]
    fields = ["type", "subject", "direction", "question_html", "explanation_html"]
    inlines = [AnswerInline, EssayTopicInline]
    formfield_overrides = {HTMLField: {"widget": forms.Textarea(attrs={"rows": 4, "cols": 100})}}
    ordering = ["-id"]

    def lock(self, pks):
        return papers.lock_with(pks)

    def under_way(self, question):
        return papers.is_under_way([question.pk])

    def get_queryset(self, request):
        def count(name):
            one = Question.objects.filter(pk=OuterRef("pk")).order_by().values("pk")
            return one.annotate(n=Count(name)).values("n")

        return super().get_queryset(request).annotate(answer_count=count("answers"), exam_count=count("exam_questions"))

    @admin.display(description="question")
    def text(self, question):
        return excerpt(question.question_html)

    @admin.display
    def answers(self, question):
        return question.answer_count

    @admin.display
    def exams(self, question):
        return question.exam_count

    def get_fieldsets(self, request, question=None):
        fieldsets = super().get_fieldsets(request, question)
        if not is_frozen(question):
            return fieldsets
        note = (
            "Students have begun an exam with this question: its wording may be corrected; its type, its answers and "
            "which of them are correct can no longer be changed."
        )
        return [(name, options | {"description": note}) for name, options in fieldsets]

    def get_readonly_fields(self, request, question=None):
        return sorted(papers.FROZEN_QUESTION_FIELDS) if self.is_shut(request, question) else []

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        if change:
            papers.raise_versions(papers.exams_with([form.instance.pk]))
