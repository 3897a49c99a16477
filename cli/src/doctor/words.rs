//! Numbers as people write them.

/// Bytes with two or three digits that count: `19.6 GiB`, `64 KiB`, `512 bytes`.
pub(crate) fn bytes(number: u64) -> String {
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let Some((unit, bits)) = units.into_iter().find(|(_, bits)| number >= 1 << bits) else {
        return format!("{number} bytes");
    };
    if number.trailing_zeros() >= bits {
        return format!("{} {unit}", number >> bits);
    }
    // In tenths, so that nothing is lost to a float.
    let tenths = ((number >> (bits - 10)) * 10) >> 10;
    if tenths >= 1000 {
        format!("{} {unit}", tenths / 10)
    } else {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    }
}

/// `65,536`.
pub(crate) fn decimal(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_few_digits_and_whole_ones_no_more_than_they_need() {
        for (number, text) in [
            (0, "0 bytes"),
            (512, "512 bytes"),
            (65_536, "64 KiB"),
            (1_572_864, "1.5 MiB"),
            (21_045_339_750, "19.5 GiB"),
            (256_u64 << 30, "256 GiB"),
            ((256_u64 << 30) + 5, "256 GiB"),
            (u64::MAX, "16777215 TiB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn thousands_are_parted() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (65_536, "65,536"), (1_048_576, "1,048,576")]
        {
            assert_eq!(decimal(number), text);
        }
    }
}
