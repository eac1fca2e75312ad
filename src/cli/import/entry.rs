//! Making an entry of an LDIF record.

use std::sync::Arc;

use uuid::Uuid;

use crate::config::Config;
use crate::directory::schema::check::{Violation, find_value};
use crate::directory::{Attribute, Attributes, Csn, Dn, Entry, Randomness, Rdn, Schema, Timestamp};
use crate::operations::integrity::{Constraints, State};
use crate::password::policy::Policy;
use crate::password::scheme::NewScheme;
use crate::password::{Account, StoredPassword};
use crate::server::random::SystemRandom;
use crate::store::bulk::LoadedEntry;

/// What becomes of passwords in clear text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ClearText {
    Hashed,
    Kept,
}

impl From<bool> for ClearText {
    fn from(keep: bool) -> Self {
        if keep { Self::Kept } else { Self::Hashed }
    }
}

/// Makes entries of records.
pub(super) struct EntryReader<'a> {
    schema: Arc<Schema>,
    new_passwords: NewScheme,
    clear_text: ClearText,
    now: Timestamp,
    constraints: Constraints,
    /// Attributes that this server derives itself.
    derived: Vec<&'a str>,
}

impl EntryReader<'_> {
    pub(super) fn new(schema: &Arc<Schema>, config: &Config, clear_text: ClearText, now: Timestamp) -> Self {
        let derived = vec![
            "memberOf",
            "isMemberOf",
            "entryDN",
            "hasSubordinates",
            "numSubordinates",
            "subschemaSubentry",
            "contextCSN",
            "pwdScheme",
            "pwdHashCost",
            "pwdEffectivePolicy",
        ];
        // The configuration has been checked by the same schema.
        let constraints = config.integrity.prepare(schema).map(|integrity| integrity.constraints).unwrap_or_default();
        Self { schema: Arc::clone(schema), new_passwords: config.new_passwords, clear_text, now, constraints, derived }
    }

    /// The schema that entries are read by.
    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The entry of a record, completed and checked. `csn` is its change sequence number, if it brings none.
    pub(super) fn read(&self, dn: &str, attributes: &[(String, Vec<u8>)], csn: Csn) -> Result<LoadedEntry, String> {
        let schema = &self.schema;
        let dn = Dn::parse(schema, dn).map_err(|error| error.to_string())?;
        let mut entry = self.collect(attributes)?;
        let kept_as_credentials = schema.known().credentials();
        let mut credentials = entry.split_off(|id| kept_as_credentials.contains(&id));
        self.complete_name(&dn, &mut entry)?;
        schema.complete_object_classes(&mut entry).map_err(|error| match error {
            Violation::UndefinedClass(_) => {
                format!(
                    "{error}: name the file that defines it in [directory] schema, or leave it out with --leave-out"
                )
            }
            other => other.to_string(),
        })?;
        let uuid = self.stamp(&mut entry, csn)?;
        let has_password = credentials.has(schema.known().user_password);
        let elsewhere = has_password.then_some(schema.known().user_password);
        schema.check_entry(&entry, elsewhere.as_slice()).map_err(|error| error.to_string())?;
        let classes = entry.values(schema.known().object_class);
        if classes.iter().any(|class| class.eq_ignore_ascii_case(b"pwdPolicy")) {
            Policy::read(&Entry::encode(&entry, schema), dn.as_str(), schema).map_err(|error| error.to_string())?;
        }
        let encoded = Entry::encode(&entry, schema);
        let state = State { dn: &dn, entry: &encoded };
        self.constraints.require(None, state, schema).map_err(|unmet| unmet.to_string())?;
        self.hash(&mut credentials)?;
        let has_credentials = credentials.iter().next().is_some();
        Ok(LoadedEntry {
            dn,
            uuid,
            entry: encoded,
            credentials: has_credentials.then(|| Entry::encode(&credentials, schema)),
        })
    }

    fn collect(&self, attributes: &[(String, Vec<u8>)]) -> Result<Attributes, String> {
        let mut entry = Attributes::new();
        let mut last = None;
        for (name, value) in attributes {
            if self.derived.iter().any(|derived| derived.eq_ignore_ascii_case(name)) {
                continue;
            }
            let undefined = || {
                format!(
                    "the attribute {name:?} is not in the schema: name the file that defines it in [directory] schema, \
                     or leave it out with --leave-out {name}"
                )
            };
            let description = self.schema.describe(name).ok_or_else(undefined)?;
            if last.as_ref() != Some(&description) && entry.get(&description).is_none() {
                entry.push(Attribute { description: description.clone(), values: Vec::new() });
            }
            entry.values_mut(&description).push(value.clone());
            last = Some(description);
        }
        Ok(entry)
    }

    fn complete_name(&self, dn: &Dn, entry: &mut Attributes) -> Result<(), String> {
        let (text, _) = dn.rdns().next().ok_or("the entry has no name")?;
        let rdn = Rdn::parse(&self.schema, text).map_err(|error| error.to_string())?;
        for (description, value) in rdn.assertions() {
            let defined = self.schema.attribute_type(description.attribute_type);
            let values = entry.values_mut(description);
            if find_value(&self.schema, defined, values, value).is_none() {
                values.push(value.clone());
            }
        }
        Ok(())
    }

    /// Keeps the operational attributes that came along, and adds those that are missing.
    fn stamp(&self, entry: &mut Attributes, csn: Csn) -> Result<Uuid, String> {
        let known = self.schema.known();
        let uuid = match entry.first(known.entry_uuid) {
            Some(text) => Uuid::try_parse_ascii(text).map_err(|_| "entryUUID is no UUID".to_owned())?,
            None => SystemRandom.new_uuid(),
        };
        entry.set_one(known.entry_uuid, uuid.to_string());
        let now = self.now.to_string();
        for (id, value) in [
            (known.create_timestamp, now.as_str()),
            (known.creators_name, ""),
            (known.modify_timestamp, now.as_str()),
            (known.modifiers_name, ""),
        ] {
            if !entry.has(id) {
                entry.set_one(id, value);
            }
        }
        if entry.first(known.entry_csn).and_then(Csn::parse).is_none() {
            entry.set_one(known.entry_csn, csn.to_string());
        }
        Ok(uuid)
    }

    fn hash(&self, credentials: &mut Attributes) -> Result<(), String> {
        let known = self.schema.known();
        for attribute in credentials.iter() {
            self.schema.check_attribute(attribute).map_err(|error| error.to_string())?;
        }
        self.hash_history(credentials);
        let value = match credentials.values(known.user_password) {
            [] => return Ok(()),
            [value] => value.clone(),
            _ => return Err("an entry has one password, and here are several".to_owned()),
        };
        let clear = StoredPassword::new(&value).clear_text();
        if let (Some(clear), ClearText::Hashed) = (clear, self.clear_text) {
            let hashed = StoredPassword::create(&clear, self.new_passwords, &SystemRandom);
            credentials.set_one(known.user_password, hashed.expose());
            // It is set here and now. Since when a hash is about is not known unless it is said.
            if !credentials.has(known.pwd_changed_time) {
                credentials.set_one(known.pwd_changed_time, self.now.to_string());
            }
        }
        Ok(())
    }

    /// Old passwords may be in clear text as well.
    fn hash_history(&self, credentials: &mut Attributes) {
        let schema = &self.schema;
        let kept_in = [schema.known().pwd_history, schema.known().pwd_replaced];
        if self.clear_text == ClearText::Kept || !kept_in.iter().any(|id| credentials.has(*id)) {
            return;
        }
        let mut account = Account::from_entry(&Entry::encode(credentials, schema), schema);
        for old in account.history.iter_mut().chain(&mut account.replaced) {
            if let Some(clear) = old.password.clear_text() {
                old.password = StoredPassword::create(&clear, self.new_passwords, &SystemRandom);
            }
        }
        let hashed = account.to_entry(schema).decode();
        for id in kept_in {
            credentials.set(id, hashed.values(id).to_vec());
        }
    }
}
