"""Posts, as a student reads them."""

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.generics import ListAPIView, RetrieveAPIView

from posts.filters import PostFilter
from posts.models import Post
from posts.serializers import PostPageSerializer, PostSerializer
from testpress.exceptions import NotAvailable
from testpress.openapi import errors
from testpress.views import LimitedBody


@extend_schema_view(
    get=extend_schema(
        summary="The posts that the user may read",
        description="Without their content, the newest first.",
        responses={200: PostSerializer(many=True), **errors(400, 401, 404)},
    )
)
class PostListView(LimitedBody, ListAPIView):
    serializer_class = PostSerializer
    filterset_class = PostFilter
    queryset = Post.objects.for_answers()

    def get_queryset(self):
        return super().get_queryset().visible_to(self.request.user)


@extend_schema_view(
    get=extend_schema(
        summary="One post",
        description="With its content.",
        responses={200: PostPageSerializer, **errors(401, 403, 404)},
    )
)
class PostView(LimitedBody, RetrieveAPIView):
    serializer_class = PostPageSerializer
    lookup_field = "slug"
    queryset = Post.objects.active().for_answers()

    def get_queryset(self):
        return super().get_queryset().with_openness_to(self.request.user)

    def get_object(self):
        post = super().get_object()
        if not post.is_open:
            raise NotAvailable
        return post
