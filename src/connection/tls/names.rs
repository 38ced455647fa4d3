//! Whether a common name is that of a host: as Node's `tls.checkServerIdentity` has it.

/// Whether the common name `pattern` is `host`'s, or a wildcard for it.
pub(super) fn is_common_name_of(pattern: &str, host: &str) -> bool {
    let (pattern, host) = (labels(pattern), labels(host));
    if pattern.len() != host.len() || pattern.iter().any(|label| !is_printable(label)) {
        return false;
    }
    let (Some((first, rest)), Some((host_first, host_rest))) =
        (pattern.split_first(), host.split_first())
    else {
        return false;
    };
    rest == host_rest && is_first_label_of(first, host_first, pattern.len())
}

/// In lower case, and without the dot at the end.
fn labels(name: &str) -> Vec<String> {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.to_ascii_lowercase().split('.').map(str::to_owned).collect()
}

fn is_printable(label: &str) -> bool {
    !label.is_empty() && label.chars().all(|c| ('\u{21}'..='\u{7f}').contains(&c))
}

/// A wildcard stands for a part of the first label, and never for all below a top-level domain.
fn is_first_label_of(pattern: &str, label: &str, labels: usize) -> bool {
    let Some((prefix, suffix)) = pattern.split_once('*') else { return pattern == label };
    if pattern.contains("xn--") {
        return pattern == label;
    }
    !suffix.contains('*')
        && labels > 2
        && prefix.len() + suffix.len() <= label.len()
        && label.starts_with(prefix)
        && label.ends_with(suffix)
}

#[cfg(test)]
mod tests {
    use super::is_common_name_of;

    #[test]
    fn as_node_has_it() {
        for (pattern, host, expected) in [
            ("redis.test", "redis.test", true),
            ("Redis.Test.", "redis.TEST", true),
            ("redis", "redis", true),
            ("redis.test", "other.test", false),
            ("redis.test", "a.redis.test", false),
            ("*.redis.test", "a.redis.test", true),
            ("a*c.redis.test", "abc.redis.test", true),
            ("a*c.redis.test", "ac.redis.test", true),
            ("ab*bc.redis.test", "abc.redis.test", false),
            ("*.redis.test", "redis.test", false),
            ("*.redis.test", "a.b.redis.test", false),
            ("*.test", "redis.test", false),
            ("*", "redis", false),
            ("**.redis.test", "a.redis.test", false),
            ("a.*.test", "a.redis.test", false),
            ("xn--*.redis.test", "xn--a.redis.test", false),
            ("xn--a.redis.test", "xn--a.redis.test", true),
            ("", "redis", false),
            ("a..test", "a..test", false),
            ("bü.redis.test", "bü.redis.test", false),
            ("a b", "a b", false),
        ] {
            assert_eq!(is_common_name_of(pattern, host), expected, "{pattern} {host}");
        }
    }
}
