"""Exams' attachments in the admin site: seen, downloaded and deleted there; other systems add them."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.template.defaultfilters import filesizeformat
from django.urls import path, reverse
from django.utils.html import format_html

from exams import attachments
from exams.models import Attachment


class Downloadable:
    """What the list and an exam's page show of an attachment."""

    @admin.display(description="size", ordering="size")
    def readable_size(self, attachment):
        return filesizeformat(attachment.size)

    @admin.display(description="file")
    def download_link(self, attachment):
        address = reverse("admin:exams_attachment_download", args=[attachment.pk])
        return format_html('<a href="{}">{}</a>', address, attachment.file_name)


class AttachmentInline(Downloadable, admin.TabularInline):
    model = Attachment
    fields = readonly_fields = ["download_link", "content_type", "readable_size", "created"]
    extra = 0

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(Attachment)
class AttachmentAdmin(Downloadable, admin.ModelAdmin):
    list_display = ["file_name", "exam", "content_type", "readable_size", "created", "download_link"]
    list_select_related = ["exam"]
    search_fields = ["file_name", "exam__title"]
    date_hierarchy = "created"
    fields = readonly_fields = ["exam", "download_link", "content_type", "readable_size", "created"]

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def get_urls(self):
        download = self.admin_site.admin_view(self.download_view)
        return [path("<int:pk>/download/", download, name="exams_attachment_download"), *super().get_urls()]

    def download_view(self, request, pk):
        if not self.has_view_permission(request):
            raise PermissionDenied
        attachment = Attachment.objects.filter(pk=pk).first()
        if attachment is None:
            raise Http404
        try:
            return attachments.download(attachment)
        except FileNotFoundError:
            raise Http404 from None
