//! What a tool said, and how it ended.

use std::process::Child;

/// What a tool said.
#[derive(Clone, Debug)]
pub struct Said {
    /// Its exit status: for most tools of ldap-utils, the LDAP result code.
    pub code: i32,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Said {
    /// Asserts that it succeeded.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}\n{}", self.out, self.err);
        self
    }

    /// Asserts how it failed.
    #[track_caller]
    pub fn fails_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }

    /// Asserts how it failed, for `ldappasswd`, whose exit status is always 1.
    #[track_caller]
    pub fn refuses_with(self, code: i32) -> Self {
        let said = format!("{}\n{}", self.out, self.err);
        assert_ne!(self.code, 0, "{said}");
        assert!(said.contains(&format!("({code})\n")), "{said}");
        self
    }

    /// Asserts that it said these words.
    #[track_caller]
    pub fn tells(self, words: &str) -> Self {
        assert!(self.out.contains(words) || self.err.contains(words), "{words:?}?\n{}\n{}", self.out, self.err);
        self
    }

    /// The values of an attribute in LDIF output.
    pub fn values(&self, name: &str) -> Vec<String> {
        let prefix = format!("{name}: ");
        self.out.lines().filter_map(|line| line.strip_prefix(&prefix)).map(str::to_owned).collect()
    }
}

/// Waits for a process and collects what it says.
pub fn said(process: Child) -> Said {
    let output = process.wait_with_output().unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
