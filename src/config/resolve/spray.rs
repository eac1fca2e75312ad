//! From when on many wrong passwords are an attack.

use std::time::Duration;

use toml::Spanned;

use super::Faults;
use crate::config::raw::RawPassword;
use crate::password::meter::radar::Thresholds;

const MOST_ACCOUNTS: usize = 1_000;
const MOST_SECONDS: u32 = 30;

pub(super) fn thresholds(raw: &RawPassword, faults: &mut Faults<'_>) -> Thresholds {
    let default = Thresholds::default();
    let mut accounts = |key: &str, value: Option<&Spanned<usize>>, default| match value {
        Some(value) if *value.get_ref() > MOST_ACCOUNTS => {
            faults.add(Some(value.span()), key, format!("must be at most {MOST_ACCOUNTS}; 0 switches it off"));
            default
        }
        value => value.map_or(default, |value| *value.get_ref()),
    };
    let accounts_of_source =
        accounts("password.spray_source_accounts", raw.spray_source_accounts.as_ref(), default.accounts_of_source);
    let accounts_of_guess =
        accounts("password.spray_guess_accounts", raw.spray_guess_accounts.as_ref(), default.accounts_of_guess);
    if let Some(delay) = raw.spray_delay_seconds.as_ref().filter(|delay| *delay.get_ref() > MOST_SECONDS) {
        let reason = format!("no answer is held back for more than {MOST_SECONDS} seconds");
        faults.add(Some(delay.span()), "password.spray_delay_seconds", reason);
    }
    let seconds = |value: Option<u32>, default| value.map_or(default, |value| Duration::from_secs(u64::from(value)));
    Thresholds {
        accounts_of_source,
        accounts_of_guess,
        window: seconds(raw.spray_window_seconds, default.window),
        delay: seconds(raw.spray_delay_seconds.as_ref().map(|delay| *delay.get_ref()), default.delay),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    const SMALL: &str = "[directory]\nsuffix = \"dc=example,dc=com\"\ndata = \"db\"\n\
                         [[listen]]\nurl = \"ldap://127.0.0.1:3389\"\n[password]\n";

    fn parse(lines: &str) -> Result<Thresholds, String> {
        let config = Config::parse(Path::new("/nowhere/keystead.toml"), &format!("{SMALL}{lines}"));
        config.map(|config| config.spray).map_err(|error| error.to_string())
    }

    #[test]
    fn thresholds_are_read_and_what_is_left_out_has_a_default() {
        let read = parse("spray_source_accounts = 0\nspray_window_seconds = 60\n").unwrap();
        let expected = Thresholds { accounts_of_source: 0, window: Duration::from_secs(60), ..Thresholds::default() };
        assert_eq!(read, expected);
    }

    #[test]
    fn what_would_take_too_much_is_refused() {
        assert!(parse("spray_guess_accounts = 1001\n").unwrap_err().contains("at most 1000"));
        assert!(parse("spray_delay_seconds = 31\n").unwrap_err().contains("30 seconds"));
    }
}
