from django.urls import re_path

from catalog import views

urlpatterns = [
    re_path(r"^products/?$", views.ProductListView.as_view(), name="product-list"),
    re_path(r"^products/(?P<slug>[-a-zA-Z0-9_]+)/?$", views.ProductView.as_view(), name="product"),
]
