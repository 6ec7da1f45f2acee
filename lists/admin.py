"""The admin site keeps people and their roles; everything else has pages of its own and can only be looked at here."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from lists import login
from lists.models import Connection, ContactList, Import, RemoteList, SyncRun

admin.site.site_header = admin.site.site_title = "contactadmin"
admin.site.index_title = "People and roles"
admin.site.site_url = "/"
# One login for everything: limits and the second factor hold there and would not hold at the admin site's own.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


class ReadOnly(admin.ModelAdmin):
    """Rows with rules of their own are changed by the product's pages and commands, never past them."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(ContactList)
class ContactListAdmin(ReadOnly):
    list_display = ("name", "contact_count", "owner", "archived_at")
    search_fields = ("name",)


@admin.register(Connection)
class ConnectionAdmin(ReadOnly):
    list_display = ("name", "vendor", "rehearsal", "health", "archived_at")
    exclude = ("credentials",)


@admin.register(RemoteList)
class RemoteListAdmin(ReadOnly):
    list_display = ("name", "connection", "contact_list", "accounted_count", "vendor_count")
    list_select_related = ("connection", "contact_list")


@admin.register(Import)
class ImportAdmin(ReadOnly):
    list_display = ("filename", "list_name", "state", "records", "created_by", "created_at")
    list_select_related = ("created_by",)


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnly):
    list_display = ("list_name", "connection_name", "state", "total", "created_by", "created_at")
    list_select_related = ("created_by",)


class PeopleAdmin(UserAdmin):
    """People get roles and nothing finer, so that what somebody may do can be said in one word."""

    list_display = ("username", "email", "roles", "is_active", "last_login")
    list_filter = ("is_active", "groups")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Role", {"fields": ("groups", "is_active", "is_staff")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "email", "usable_password", "password1", "password2", "groups")}),)
    readonly_fields = ("last_login", "date_joined")
    actions = ("take_second_factor_away",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only a superuser changes a superuser: a new password for one would give every right there is."""
        beyond = isinstance(obj, User) and obj.is_superuser and not request.user.is_superuser
        return not beyond and super().has_change_permission(request, obj)

    @admin.action(description="Take the second factor away (a lost phone)", permissions=["change"])
    def take_second_factor_away(self, request: HttpRequest, people: QuerySet[User]) -> None:
        helped = [
            person.get_username()
            for person in people
            if self.has_change_permission(request, person) and login.take_second_factor_away(request.user, person)
        ]
        told = f"Until they set it up anew, the password alone is asked of {', '.join(helped)}."
        self.message_user(request, told if helped else "Nobody of these had a second factor you may take away.")

    @admin.display(description="role")
    def roles(self, person: User) -> str:
        return ", ".join(group.name for group in person.groups.all())


admin.site.unregister(User)
admin.site.register(User, PeopleAdmin)
