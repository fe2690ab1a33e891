"""Who there is, in the admin site, and its log-in form."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission
from django.core.cache import caches
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import transaction
from django.db.models import Count, Q
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html
from rest_framework.exceptions import Throttled

from accounts import credentials, photos, throttling
from accounts.middleware import CACHE_KEY
from accounts.models import ApiCredential, Batch, Institute, User
from testpress.exceptions import Busy


class LogInForm(AdminAuthenticationForm):
    """The admin site's log-in form, under the same rule of waiting as the API's."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # Longer ones are refused before anything is hashed.
        self.fields["password"].validators.append(MaxLengthValidator(4096))

    def clean(self):
        if self.errors:
            return self.cleaned_data
        refusals = []

        def check():
            try:
                super(LogInForm, self).clean()
            except ValidationError as refusal:
                refusals.append(refusal)
                return None
            return self.user_cache

        try:
            throttling.guard(self.request, self.cleaned_data["username"], check)
        except (Throttled, Busy) as waiting:
            raise ValidationError(str(waiting.detail)) from None
        if refusals:
            raise refusals[0]
        return self.cleaned_data


admin.site.login_form = LogInForm
admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin):
    """Groups grant permissions: only a superuser may make or change them."""

    def has_add_permission(self, request):
        return request.user.is_superuser

    def has_change_permission(self, request, obj=None):
        return request.user.is_superuser

    def has_delete_permission(self, request, obj=None):
        return request.user.is_superuser


@admin.register(Institute)
class InstituteAdmin(admin.ModelAdmin):
    """The one row there is."""

    fields = ["name", "time_zone"]
    list_display = ["name", "time_zone"]

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        # Whoever changes the time zone sees it at once, from this process; the others follow within a minute.
        transaction.on_commit(lambda: caches["local"].delete(CACHE_KEY))


@admin.register(Batch)
class BatchAdmin(admin.ModelAdmin):
    list_display = ["name", "students"]
    search_fields = ["name"]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(student_count=Count("users", filter=Q(users__is_staff=False)))

    @admin.display(ordering="student_count")
    def students(self, batch):
        return batch.student_count

    def get_deleted_objects(self, objs, request):
        """Exams and posts keep their batches from being deleted: one that lists no batch is open to everybody."""
        deleted, counts, missing_rights, protected = super().get_deleted_objects(objs, request)
        kept = [thing for batch in objs for thing in (*batch.exams.all(), *batch.posts.all())]
        return (
            deleted,
            counts,
            missing_rights,
            [*protected, *(f"{thing._meta.verbose_name}: {thing}" for thing in kept)],
        )


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    """Students and staff.

    Only a superuser grants rights. Others cannot change a user who may do more than they themselves: with that user's
    password they would have those rights, too.
    """

    PRIVILEGES = ("is_staff", "is_superuser", "groups", "user_permissions")

    list_display = ["username", "display_name", "email", "batch_names", "is_staff", "is_active"]
    list_filter = ["is_active", "is_staff", "is_superuser", "batches"]
    search_fields = ["username", "first_name", "last_name", "email", "phone"]
    autocomplete_fields = ["batches"]
    readonly_fields = ["photo_preview", "last_login", "date_joined"]
    actions = ["activate", "deactivate"]
    fieldsets = [
        (None, {"fields": ["username", "password", "is_active", "batches"]}),
        ("Name and contact", {"fields": ["first_name", "last_name", "email", "phone"]}),
        (
            "Profile",
            {"fields": ["photo_preview", "birth_date", "gender", "address1", "address2", "city", "zip", "state"]},
        ),
        ("Rights", {"fields": PRIVILEGES, "classes": ["collapse"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"classes": ["wide"], "fields": ["username", "usable_password", "password1", "password2"]}),
        ("Student", {"fields": ["first_name", "last_name", "email", "phone", "batches"]}),
    ]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("batches")

    @admin.display(description="batches")
    def batch_names(self, user):
        return ", ".join(batch.name for batch in user.batches.all())

    @admin.display(description="photo")
    def photo_preview(self, user):
        return (
            format_html('<img src="{}" width="128" height="128" alt="">', user.medium_image.url) if user.photo else "-"
        )

    # --- Who may do what ---

    def get_readonly_fields(self, request, obj=None):
        fields = super().get_readonly_fields(request, obj)
        return fields if request.user.is_superuser else [*fields, *self.PRIVILEGES]

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and (obj is None or _may_touch(request.user, obj))

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and (obj is None or _may_touch(request.user, obj))

    # --- Actions ---

    @admin.action(description="Deactivate: end their log-ins, keep their work", permissions=["change"])
    def deactivate(self, request, queryset):
        self._set_active(request, queryset, False)

    @admin.action(description="Activate", permissions=["change"])
    def activate(self, request, queryset):
        self._set_active(request, queryset, True)

    def _set_active(self, request, queryset, is_active):
        users = [
            user
            for user in queryset.exclude(is_active=is_active)
            if user != request.user and self.has_change_permission(request, user)
        ]
        for user in users:
            user.is_active = is_active
            user.save(update_fields=["is_active"])
            self.log_change(request, user, [{"changed": {"fields": ["active"]}}])
        self.message_user(request, f"{len(users)} users changed.", messages.SUCCESS)

    def delete_model(self, request, obj):
        names = list(photos.file_names(obj).values())
        super().delete_model(request, obj)
        transaction.on_commit(lambda: photos.remove(names))

    def delete_queryset(self, request, queryset):
        names = [name for user in queryset for name in photos.file_names(user).values()]
        super().delete_queryset(request, queryset)
        transaction.on_commit(lambda: photos.remove(names))


def _may_touch(actor, user):
    """Whether `actor` has all the rights of `user` (also those that sleep while `user` is inactive)."""
    if actor.is_superuser or actor == user:
        return True
    if user.is_superuser:
        return False
    rights = Permission.objects.filter(Q(user=user) | Q(group__user=user)).values_list(
        "content_type__app_label", "codename"
    )
    return actor.get_all_permissions() >= {f"{app}.{codename}" for app, codename in rights}


# --- Credentials of other systems ------------------------------------------------------------------------------------


class ApiCredentialForm(forms.ModelForm):
    actor = None

    def clean_user(self):
        user = self.cleaned_data["user"]
        if not (user.is_staff or user.is_superuser):
            raise ValidationError("Only staff have API credentials.")
        if not _may_touch(self.actor, user):
            raise ValidationError("This user may do more than you.")
        return user


@admin.register(ApiCredential)
class ApiCredentialAdmin(admin.ModelAdmin):
    """Made here and revoked; the secret shows once, on the page that answers its making, and is stored nowhere else.

    Who may do less than a credential's user cannot touch it: with its secret they would have that user's rights.
    """

    form = ApiCredentialForm
    list_display = ["__str__", "user", "key", "created", "last_used", "revoked"]
    list_filter = [("revoked", admin.EmptyFieldListFilter), ("user", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["user"]
    search_fields = ["name", "key", "user__username"]
    autocomplete_fields = ["user"]
    actions = ["revoke"]
    fields = ["user", "name"]

    def get_fields(self, request, obj=None):
        return [*self.fields, "key", "created", "last_used", "revoked"] if obj else self.fields

    def get_readonly_fields(self, request, obj=None):
        return ["user", "key", "created", "last_used", "revoked"] if obj else []

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"actor": request.user})

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and (obj is None or _may_touch(request.user, obj.user))

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and (obj is None or _may_touch(request.user, obj.user))

    def save_model(self, request, obj, form, change):
        if change:
            obj.save(update_fields=["name"])
        else:
            request.secret = credentials.issue(obj)

    def response_add(self, request, obj, post_url_continue=None):
        # Not by a message: those are kept in a cookie or in the session's row.
        context = self.admin_site.each_context(request) | {
            "title": "New API credential",
            "opts": self.opts,
            "credential": obj,
            "secret": request.secret,
        }
        return TemplateResponse(request, "admin/accounts/apicredential/secret.html", context)

    @admin.action(description="Revoke, for good", permissions=["change"])
    def revoke(self, request, queryset):
        mine = [row for row in queryset.select_related("user") if self.has_change_permission(request, row)]
        live = [row for row in mine if row.revoked is None]
        revoked = credentials.revoke(ApiCredential.objects.filter(pk__in=[row.pk for row in live]), now=timezone.now())
        for row in live:
            self.log_change(request, row, [{"changed": {"fields": ["revoked"]}}])
        self.message_user(request, f"{revoked} API credentials revoked.", messages.SUCCESS)
