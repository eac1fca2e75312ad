//! What programs that use python-ldap do; see `python_ldap.py`.

use serde_json::json;

use crate::server::{Server, full, text};

/// Has the part of the program with that name run against a server of its own.
#[track_caller]
fn works(part: &str) {
    let server = Server::start();
    server.answer_wrong_passwords_at_once();
    let names = ["cn=admin", "alice", "bob", "carol", "hanna"];
    let passwords: serde_json::Map<_, _> =
        names.map(|name| (full(name), server.password(name).into())).into_iter().collect();
    let task = json!({
        "ldap": server.ldap, "ldaps": server.ldaps, "ldapi": server.ldapi, "ca": text(&server.ca()),
        "passwords": passwords,
    });
    server.python("python_ldap.py", &[part], &task.to_string()).ok();
}

#[test]
fn python_ldap_binds_over_every_transport() {
    works("bind_over_every_transport");
}

#[test]
fn python_ldap_searches_page_by_page() {
    works("search_page_by_page");
}

#[test]
fn python_ldap_has_the_server_sort() {
    works("sort");
}

#[test]
fn python_ldap_scrolls_through_a_list_view() {
    works("list_view");
}

#[test]
fn python_ldap_reads_members_with_their_group() {
    works("dereference");
}

#[test]
fn python_ldap_reads_entries_before_and_after_a_change() {
    works("read_entries");
}

#[test]
fn python_ldap_modifies_entries() {
    works("modify");
}

#[test]
fn python_ldap_changes_and_resets_passwords() {
    works("change_passwords");
}

#[test]
fn python_ldap_asks_about_passwords_as_clients_of_unboundid_do() {
    works("ask_about_passwords");
}

#[test]
fn python_ldap_reads_how_a_password_stands() {
    works("password_policy");
}

#[test]
fn python_ldap_understands_the_root_dse_the_schema_and_every_entry() {
    works("browse");
}

#[test]
fn python_ldap_sees_changes_as_they_happen() {
    works("persistent_search");
}

#[test]
fn python_ldap_keeps_a_copy_up_to_date() {
    works("content_synchronization");
}
