"""The signed API of exams' attachments, for an institute's own systems, and the links that students download from."""

from django.conf import settings
from django.http import Http404, HttpResponseForbidden
from django.utils import timezone
from django.views.decorators.http import require_safe
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, NotFound
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.signed_requests import HasRight, SignedRequestAuthentication, has_right
from exams import attachments
from exams.models import Attachment, Exam
from testpress.exceptions import BodyTooLarge, handle_v3
from testpress.fields import InstituteMillisecondField

PAGE_LIMIT = 300
LARGEST_ID = 2**63 - 1
# What a body may hold beside the file.
FORM_LIMIT = settings.BODY_LIMIT


class AttachmentSerializer(serializers.ModelSerializer):
    """An attachment, as the signed API tells of it."""

    created_at = InstituteMillisecondField(source="created")
    updated_at = InstituteMillisecondField(source="created")
    document_file_name = serializers.CharField(source="file_name", read_only=True)
    document_content_type = serializers.CharField(source="content_type", read_only=True)
    document_file_size = serializers.IntegerField(source="size", read_only=True)
    document_updated_at = InstituteMillisecondField(source="created")
    exam_id = serializers.IntegerField(read_only=True)
    placeholder = serializers.CharField(read_only=True)

    class Meta:
        model = Attachment
        fields = [
            "id",
            "created_at",
            "updated_at",
            "document_file_name",
            "document_content_type",
            "document_file_size",
            "document_updated_at",
            "exam_id",
            "placeholder",
        ]
        read_only_fields = fields


class AttachmentEnvelope(serializers.Serializer):
    """One attachment."""

    attachment = AttachmentSerializer()


class AttachmentListEnvelope(serializers.Serializer):
    """A page of an exam's attachments."""

    attachments = AttachmentSerializer(many=True)


class WrongParameter(APIException):
    status_code = status.HTTP_400_BAD_REQUEST


class NoSuchRow(NotFound):
    """404 in the words of the API's document."""

    def __init__(self, model, pk):
        super().__init__(f"Couldn't find {model.__name__} with 'id'={pk}")


class V3Renderer(JSONRenderer):
    """JSON for clients that accept the API's own type."""

    media_type = "application/vnd.procwise.v3"


# What all views below /api/v3/ share. (Docstrings of views become descriptions in the API's docs.)
class V3View(APIView):
    renderer_classes = [JSONRenderer, V3Renderer]

    def get_exception_handler(self):
        return handle_v3

    def finalize_response(self, request, response, *args, **kwargs):
        response = super().finalize_response(request, response, *args, **kwargs)
        response.content_type = "application/json"  # also for who accepts it under the API's own name
        return response


class NoSuchV3Path(V3View):
    authentication_classes = []
    permission_classes = []
    schema = None

    def initial(self, request, *args, **kwargs):
        raise NotFound


class SignedView(V3View):
    authentication_classes = [SignedRequestAuthentication]
    permission_classes = [HasRight]
    parser_classes = []  # the authentication reads the body: its parameters are signed
    rights = {"GET": "exams.view_attachment", "HEAD": "exams.view_attachment"}

    def initial(self, request, *args, **kwargs):
        # Who asks comes before what they accept.
        self.perform_authentication(request)
        self.check_permissions(request)
        super().initial(request, *args, **kwargs)
        self.exam_id = self.number("exam_id")

    def body_limit(self, is_multipart):
        return FORM_LIMIT

    def upload_handlers(self, user):
        return []

    def number(self, name, default=None):
        """The parameter as a whole number; one too large for any row is the largest there is."""
        text = self.request.auth.parameters.get(name, "" if default is None else str(default))
        if not (text.isascii() and text.isdigit()):
            raise WrongParameter(f"Invalid parameter '{name}': Must be a number.")
        return LARGEST_ID if len(text) > 18 else int(text)

    def positive(self, name, default):
        if not (number := self.number(name, default)):
            raise WrongParameter(f"Invalid parameter '{name}': Must be at least 1.")
        return number

    def require_exam(self):
        if not Exam.objects.filter(pk=self.exam_id).exists():
            raise NoSuchRow(Exam, self.request.auth.parameters["exam_id"])


# --- For the docs ----------------------------------------------------------------------------------------------------

ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
ERRORS = {
    400: ("A parameter is missing or wrong.", "Invalid parameter 'exam_id': Must be a number."),
    403: (
        "The key, signature, nonce or timestamp is missing, malformed or wrong, or the user has not the right.",
        "You are not authorized to access this page.",
    ),
    404: ("There is no such exam or attachment.", "Couldn't find Attachment with 'id'=7"),
    405: ("A method that is not known here.", 'Method "PUT" not allowed.'),
    406: ("An answer that is not JSON was asked for.", "Could not satisfy the request Accept header."),
    413: ("The file, or the body, is too large.", "The request's body is too large."),
    415: ("A body whose parameters cannot be read.", 'Unsupported media type "text/plain" in request.'),
}
SIGNING = [
    OpenApiParameter("nonce", OpenApiTypes.STR, required=True, description="A number, good once in 24 hours."),
    OpenApiParameter("timestamp", OpenApiTypes.INT64, required=True, description="Of the request, in milliseconds."),
    OpenApiParameter(
        "signature",
        OpenApiTypes.STR,
        required=True,
        description="HMAC-SHA256, in hex, of all other parameters, those of the path included, keyed with the secret. "
        "These three may stand in the body as well.",
    ),
]
EXAMPLE = {
    "id": 1,
    "created_at": "2019-01-22T16:07:23.246+05:30",
    "updated_at": "2019-01-22T16:07:23.246+05:30",
    "document_file_name": "image.jpg",
    "document_content_type": "image/jpeg",
    "document_file_size": 2065711,
    "document_updated_at": "2019-01-22T16:07:23.246+05:30",
    "exam_id": 1,
    "placeholder": "1548153443_image.jpg",
}
ONE = OpenApiExample("attachment", value={"attachment": EXAMPLE}, response_only=True)


def errors(*codes):
    return {
        code: OpenApiResponse(
            ERROR, ERRORS[code][0], examples=[OpenApiExample("error", value={"error": ERRORS[code][1]})]
        )
        for code in (*codes, 400, 403, 404, 406, 413, 415)
    }


def id_in_path(name):
    return OpenApiParameter(name, OpenApiTypes.INT64, OpenApiParameter.PATH)


# --- The calls -------------------------------------------------------------------------------------------------------


@extend_schema(tags=["attachments"], parameters=[id_in_path("exam_id"), *SIGNING])
class AttachmentsView(SignedView):
    rights = SignedView.rights | {"POST": "exams.add_attachment"}
    upload = None

    def dispatch(self, request, *args, **kwargs):
        with attachments.Upload() as self.upload:
            return super().dispatch(request, *args, **kwargs)

    def body_limit(self, is_multipart):
        # Beyond the file's own limit, so that a file a little over it is read to the end, where the parameters that
        # sign the request may be; a body far beyond is not read at all.
        return 2 * settings.ATTACHMENT_LIMIT + FORM_LIMIT if is_multipart else FORM_LIMIT

    def upload_handlers(self, user):
        takes_file = self.request.method == "POST" and has_right(user, self.rights["POST"])
        return [self.upload] if takes_file else []

    @extend_schema(
        operation_id="attachments_list",
        summary="List an exam's attachments",
        description="The headers `X-Pagination-Item-Count`, `X-Pagination-Page-Count`, `X-Pagination-Page` and "
        "`X-Pagination-Limit` tell of the pages. A page beyond the last is empty.",
        parameters=[
            OpenApiParameter("page", OpenApiTypes.INT64, description="From 1, the default."),
            OpenApiParameter("limit", OpenApiTypes.INT64, description="Attachments a page, at most 300, the default."),
        ],
        responses={200: AttachmentListEnvelope, **errors()},
        examples=[OpenApiExample("attachments", value={"attachments": [EXAMPLE]}, response_only=True)],
    )
    def get(self, request, **kwargs):
        page, limit = self.positive("page", 1), min(self.positive("limit", PAGE_LIMIT), PAGE_LIMIT)
        self.require_exam()
        rows = Attachment.objects.filter(exam=self.exam_id).order_by("id")
        count = rows.count()
        headers = {"Item-Count": count, "Page-Count": -(-count // limit), "Page": page, "Limit": limit}
        start = min((page - 1) * limit, count)
        return Response(
            {"attachments": AttachmentSerializer(rows[start : start + limit], many=True).data},
            headers={f"X-Pagination-{name}": str(value) for name, value in headers.items()},
        )

    @extend_schema(
        operation_id="attachments_create",
        summary="Attach a file to an exam",
        parameters=[OpenApiParameter(parameter.name, exclude=True) for parameter in SIGNING],
        request={
            "multipart/form-data": {
                "type": "object",
                "properties": {
                    "document": {"type": "string", "format": "binary", "description": "Not signed."},
                    "nonce": {"type": "string"},
                    "timestamp": {"type": "integer", "format": "int64"},
                    "signature": {"type": "string"},
                },
                "required": ["document", "nonce", "timestamp", "signature"],
            }
        },
        responses={201: AttachmentEnvelope, **errors()},
        examples=[ONE],
    )
    def post(self, request, **kwargs):
        if self.upload.is_too_large:
            raise BodyTooLarge
        self.require_exam()
        if not self.upload.is_there:
            raise WrongParameter("Missing parameter 'document': Must be a File.")
        if self.upload.is_repeated:
            raise WrongParameter("Invalid parameter 'document': Must be one File.")
        try:
            attachment = attachments.store(self.exam_id, self.upload, now=timezone.now())
        except attachments.NoSuchExam:
            raise NoSuchRow(Exam, request.auth.parameters["exam_id"]) from None
        return Response({"attachment": AttachmentSerializer(attachment).data}, status.HTTP_201_CREATED)


@extend_schema(tags=["attachments"], parameters=[id_in_path("exam_id"), id_in_path("id"), *SIGNING])
class AttachmentView(SignedView):
    rights = SignedView.rights | {"DELETE": "exams.delete_attachment"}

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        self.attachment_id = self.number("id")

    def missing(self):
        return NoSuchRow(Attachment, self.request.auth.parameters["id"])

    @extend_schema(
        operation_id="attachments_show",
        summary="Show an attachment",
        responses={200: AttachmentEnvelope, **errors()},
        examples=[ONE],
    )
    def get(self, request, **kwargs):
        attachment = Attachment.objects.filter(exam=self.exam_id, pk=self.attachment_id).first()
        if attachment is None:
            raise self.missing()
        return Response({"attachment": AttachmentSerializer(attachment).data})

    @extend_schema(
        operation_id="attachments_destroy",
        summary="Remove an attachment and its file",
        request=None,
        responses={200: OpenApiResponse({"type": "object"}, "It is gone."), **errors()},
        examples=[OpenApiExample("gone", value={}, response_only=True, status_codes=["200"])],
    )
    def delete(self, request, **kwargs):
        if not attachments.delete(self.exam_id, self.attachment_id):
            raise self.missing()
        return Response({})


# --- Downloads -------------------------------------------------------------------------------------------------------


@require_safe
def download(request, token):
    """The file behind a link of the student API."""
    attachment = attachments.linked(token)
    if attachment is None:
        return HttpResponseForbidden("This link is not valid any more.", content_type="text/plain")
    try:
        return attachments.download(attachment)
    except FileNotFoundError:
        raise Http404 from None
