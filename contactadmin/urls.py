from django.contrib import admin
from django.urls import include, path

handler400 = "lists.views.refusals.bad_request"

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("lists.urls")),
]
