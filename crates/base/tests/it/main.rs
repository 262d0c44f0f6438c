//! Contract of `base`: the code table is what the documentation says it is.

#[test]
fn every_code_is_lower_case_words_joined_by_dots_and_hyphens() {
    for code in base::error::CODES {
        assert!(
            code.name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-'),
            "{}",
            code.name
        );
    }
}
