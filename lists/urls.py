"""Every address of the product. A route is named after its view: `imports.check` is `imports-check`."""

from django.urls import URLPattern, path

from lists.views import audit, connections, contacts, dashboard, health, imports, lists, runs, suppressions

urlpatterns: list[URLPattern] = [
    # Lists
    path("lists/", lists.index, name="lists-index"),
    path("lists/new/", lists.create, name="lists-create"),
    path("lists/<int:list_id>/", lists.detail, name="lists-detail"),
    path("lists/<int:list_id>/imports/", lists.imports, name="lists-imports"),
    path("lists/<int:list_id>/vendors/", lists.vendors, name="lists-vendors"),
    path("lists/<int:list_id>/vendors/<int:connection_id>/", lists.wanting, name="lists-wanting"),
    path("lists/<int:list_id>/settings/", lists.settings, name="lists-settings"),
    path("lists/<int:list_id>/archive/", lists.archive, name="lists-archive"),
    path("lists/<int:list_id>/restore/", lists.restore, name="lists-restore"),
    path("lists/<int:list_id>/contacts.csv", lists.export, name="lists-export"),
    # Contacts
    path("contacts/", contacts.index, name="contacts-index"),
    path("contacts/<int:contact_id>/", contacts.detail, name="contacts-detail"),
    path("contacts/<int:contact_id>/edit/", contacts.edit, name="contacts-edit"),
    # Do not contact
    path("do-not-contact/", suppressions.index, name="suppressions-index"),
    path("do-not-contact/add/", suppressions.add, name="suppressions-add"),
    path("do-not-contact/upload/", suppressions.upload, name="suppressions-upload"),
    path("do-not-contact/<int:suppression_id>/lift/", suppressions.lift, name="suppressions-lift"),
    # Connections
    path("connections/", connections.index, name="connections-index"),
    path("connections/new/", connections.new, name="connections-new"),
    path("connections/new/<slug:vendor>/", connections.create, name="connections-create"),
    path("connections/<int:connection_id>/", connections.detail, name="connections-detail"),
    path("connections/<int:connection_id>/edit/", connections.edit, name="connections-edit"),
    path("connections/<int:connection_id>/check/", connections.check, name="connections-check"),
    path("connections/<int:connection_id>/archive/", connections.archive, name="connections-archive"),
    path("connections/<int:connection_id>/restore/", connections.restore, name="connections-restore"),
    # Imports
    path("imports/", imports.index, name="imports-index"),
    path("imports/new/", imports.new, name="imports-new"),
    path("imports/template.csv", imports.template, name="imports-template"),
    path("imports/<int:import_id>/", imports.detail, name="imports-detail"),
    path("imports/<int:import_id>/read/", imports.read, name="imports-read"),
    path("imports/<int:import_id>/columns/", imports.columns, name="imports-columns"),
    path("imports/<int:import_id>/check/", imports.check, name="imports-check"),
    path("imports/<int:import_id>/policy/", imports.policy, name="imports-policy"),
    path("imports/<int:import_id>/switch/", imports.switch, name="imports-switch"),
    path("imports/<int:import_id>/keep/", imports.keep, name="imports-keep"),
    path("imports/<int:import_id>/commit/", imports.commit, name="imports-commit"),
    path("imports/<int:import_id>/go-on/", imports.go_on, name="imports-go-on"),
    path("imports/<int:import_id>/discard/", imports.discard, name="imports-discard"),
    path("imports/<int:import_id>/rejected.csv", imports.rejected, name="imports-rejected"),
    path("imports/<int:import_id>/undo/", imports.undo, name="imports-undo"),
    # Dashboard
    path("", dashboard.index, name="dashboard"),
    # Sync history
    path("history/", runs.index, name="runs-index"),
    path("history/plan/", runs.plan, name="runs-plan"),
    path("history/<int:run_id>/", runs.detail, name="runs-detail"),
    path("history/<int:run_id>/row/", runs.row, name="runs-row"),
    path("history/<int:run_id>/fresh/", runs.fresh, name="runs-fresh"),
    path("history/<int:run_id>/contacts/", runs.contacts, name="runs-contacts"),
    path("history/<int:run_id>/contacts.csv", runs.export, name="runs-export"),
    path("history/<int:run_id>/requests/", runs.requests, name="runs-requests"),
    path("history/<int:run_id>/requests/<int:attempt_id>/", runs.attempt, name="runs-attempt"),
    path("history/<int:run_id>/plan/", runs.batches, name="runs-batches"),
    path("history/<int:run_id>/timeline/", runs.timeline, name="runs-timeline"),
    path("history/<int:run_id>/settings/", runs.settings, name="runs-settings"),
    path("history/<int:run_id>/again/", runs.again, name="runs-again"),
    path("history/<int:run_id>/send/", runs.send, name="runs-send"),
    path("history/<int:run_id>/ask/", runs.ask, name="runs-ask"),
    path("history/<int:run_id>/approve/", runs.approve, name="runs-approve"),
    path("history/<int:run_id>/discard/", runs.discard, name="runs-discard"),
    path("history/<int:run_id>/stop/", runs.stop, name="runs-stop"),
    path("history/<int:run_id>/resume/", runs.resume, name="runs-resume"),
    path("history/<int:run_id>/settle/", runs.settle, name="runs-settle"),
    path("history/<int:run_id>/decide/", runs.decide, name="runs-decide"),
    # Audit
    path("audit/", audit.index, name="audit-index"),
    path("audit/verify/", audit.verify, name="audit-verify"),
    # For a load balancer
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
