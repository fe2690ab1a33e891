"""Logging in, oneself, and other users."""

from django.conf import settings
from django.contrib.auth.models import update_last_login
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import photos
from accounts.authentication import LEFT_TO_THE_VIEW
from accounts.models import User
from accounts.serializers import (
    AnyUserSerializer,
    CredentialsSerializer,
    MeSerializer,
    ProfileSerializer,
    PublicUserSerializer,
    TokenSerializer,
)
from accounts.tokens import StudentToken
from testpress.openapi import errors
from testpress.views import LimitedBody

PUBLIC = {
    "id": 18,
    "url": "https://exams.example.com/api/v2.1/users/18/",
    "username": "Vinoth",
    "display_name": "Vinoth Kumar",
    "first_name": "Vinoth",
    "last_name": "Kumar",
}
NO_IMAGES = dict.fromkeys(photos.FILES, "")
IMAGES = {
    column: f"https://exams.example.com/media/i/{digit * 32}.jpeg"
    for column, digit in zip(photos.FILES, "123456", strict=True)
}
ADDRESS = {"address1": "12, Anna Salai", "address2": "", "city": "Chennai", "zip": "600069"}

PUBLIC_EXAMPLE = OpenApiExample("another user", value=PUBLIC | NO_IMAGES, response_only=True)
ME_EXAMPLE = OpenApiExample(
    "oneself",
    value={"id": 18, "batches": ["EEE"]}
    | PUBLIC
    | {"email": "vinoth@example.com"}
    | IMAGES
    | {"birth_date": "1994-08-27", "gender": "Male"}
    | ADDRESS
    | {"state": "Tamil Nadu", "phone": "9043570576"},
    response_only=True,
)
PROFILE_EXAMPLES = [
    OpenApiExample("names only", value={"first_name": "John", "last_name": "Appleseed"}, request_only=True),
    OpenApiExample(
        "profile",
        value={"first_name": "John", "last_name": "Appleseed", "email": "vinoth@example.com"}
        | IMAGES
        | {"x_offset": 37, "y_offset": 0, "crop_height": 540, "crop_width": 539}
        | {"birth_date": "1994-08-27", "gender": 1}
        | ADDRESS
        | {"state_choices": 31, "phone": "9043570576"},
        response_only=True,
    ),
]


class AuthTokenView(LimitedBody, APIView):
    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        tags=["token"],
        summary="Log in",
        description="The token goes into every other request's header: `Authorization: JWT <token>`.",
        request=CredentialsSerializer,
        responses={200: TokenSerializer, **errors(400, 413, 415, 429, 503)},
        examples=[
            OpenApiExample("credentials", value={"username": "testpress", "password": "demo"}, request_only=True),
            OpenApiExample("token", value={"token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.…"}, response_only=True),
        ],
    )
    def post(self, request):
        serializer = CredentialsSerializer(data=request.data, context={"request": request})
        serializer.is_valid(raise_exception=True)
        user = serializer.validated_data["user"]
        update_last_login(None, user)
        return Response({"token": str(StudentToken.for_user(user))}, headers={"Cache-Control": "no-store"})


def user_for(request, pk) -> User:
    """The user of that id, whole, for a bearer who is confirmed by the way: who asks for themselves is read once."""
    if pk == request.user.pk:
        return request.user.confirmed(User.objects.filter(pk=pk).first())
    request.user.confirmed()
    return get_object_or_404(User, pk=pk)


class MeView(LimitedBody, APIView):
    authentication_classes = [LEFT_TO_THE_VIEW]

    @extend_schema(
        tags=["users"], summary="Oneself", responses={200: MeSerializer, **errors(401)}, examples=[ME_EXAMPLE]
    )
    def get(self, request):
        user = user_for(request, request.user.pk)
        return Response(MeSerializer(user, context={"request": request}).data)


@extend_schema(parameters=[OpenApiParameter("id", int, OpenApiParameter.PATH)])
class UserView(LimitedBody, APIView):
    authentication_classes = [LEFT_TO_THE_VIEW]
    body_limit = settings.PROFILE_BODY_LIMIT

    @extend_schema(
        summary="Another user, or oneself",
        description="Of another user the public fields; of oneself the same as `me/`.",
        responses={
            200: AnyUserSerializer,
            **errors(401, 404),
        },
        examples=[PUBLIC_EXAMPLE],
    )
    def get(self, request, pk):
        user = user_for(request, int(pk))
        serializer = MeSerializer if user.pk == request.user.pk else PublicUserSerializer
        return Response(serializer(user, context={"request": request}).data)

    @extend_schema(
        summary="Change one's profile",
        description="What is left out keeps its value; PATCH does the same.",
        request=ProfileSerializer,
        responses={200: ProfileSerializer, **errors(400, 401, 403, 404, 413, 415, 503)},
        examples=PROFILE_EXAMPLES,
    )
    def put(self, request, pk):
        user = user_for(request, int(pk))
        if user.pk != request.user.pk:
            raise PermissionDenied("You can change your own profile only.")
        serializer = ProfileSerializer(user, data=request.data, partial=True, context={"request": request})
        serializer.is_valid(raise_exception=True)
        serializer.save()
        return Response(serializer.data)

    @extend_schema(
        summary="Change one's profile",
        request=ProfileSerializer,
        responses={200: ProfileSerializer, **errors(400, 401, 403, 404, 413, 415, 503)},
        examples=PROFILE_EXAMPLES,
    )
    def patch(self, request, pk):
        return self.put(request, pk)
