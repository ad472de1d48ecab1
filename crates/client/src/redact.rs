//! What may be said in public of an address with a secret in it.

/// `text` with every URL in it cut to scheme, host and port. Providers of nodes put keys into the path, the query or the login, and
/// libraries name whole URLs in their errors.
pub fn redacted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        let url = after.split(|c: char| c.is_whitespace() || "()<>\"'`".contains(c)).next().unwrap_or_default();
        let authority = url.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        out.push_str(before);
        out.push_str("://");
        // A login with a slash in it is none that can be told from a host: nothing of it is said.
        out.push_str(if url[authority.len()..].contains('@') { "…" } else { host });
        // The punctuation of the sentence around it.
        if url.len() > authority.len() && url.ends_with([':', ',', ';']) {
            out.push_str(&url[url.len() - 1..]);
        }
        rest = &after[url.len()..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::redacted;

    #[test]
    fn nothing_but_scheme_host_and_port_is_left_of_a_url() {
        for (text, expected) in [
            ("https://rpc.example.com/?api-key=SECRET", "https://rpc.example.com"),
            ("https://rpc.example.com?api-key=SECRET", "https://rpc.example.com"),
            ("wss://me:SECRET@rpc.example.com:8900/v2/SECRET#x", "wss://rpc.example.com:8900"),
            ("postgres://me:SEC/RET@db/x", "postgres://…"),
            ("http://[::1]:8899", "http://[::1]:8899"),
            (
                "error sending request for url (https://a.example/SECRET): refused, see http://b.example/SECRET, or not",
                "error sending request for url (https://a.example): refused, see http://b.example, or not",
            ),
            ("https://a.example/SECRET: no answer", "https://a.example: no answer"),
            ("no address: at all", "no address: at all"),
        ] {
            assert_eq!(redacted(text), expected);
        }
    }
}
