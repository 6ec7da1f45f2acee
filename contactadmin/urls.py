from django.contrib import admin
from django.http import Http404
from django.urls import include, path
from django.views.defaults import page_not_found

handler400 = "lists.views.refusals.bad_request"

urlpatterns = [
    path("accounts/email/", page_not_found, {"exception": Http404()}),  # addresses are an administrator's to enter
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("lists.urls")),
]
