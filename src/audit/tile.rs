//! Tiles: how the hashes of a tree are kept and named (C2SP tlog-tiles).

use std::fmt;
use std::str::FromStr;

use tlog_tiles::Tile;

/// How many levels of the tree one tile spans.
pub const HEIGHT: u8 = 8;
/// How many hashes a full tile holds, and how many entries a full bundle.
pub const WIDTH: u64 = 1 << HEIGHT;
/// Longer texts name no tile.
const PATH_LENGTH_MAX: usize = 48;

/// One tile, whether it is full or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    /// 0 for hashes of leaves; each hash of the level above is that of a full tile.
    pub level: u8,
    /// Its number within the level.
    pub number: u64,
}

/// The part of a tile that somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TileSlice {
    /// Of which tile.
    pub tile: TileId,
    /// So many hashes or entries from its beginning: 1 to 256.
    pub width: u64,
}

/// Why a text names no tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the path of a tile")]
pub struct InvalidTilePath;

impl TileId {
    /// The tiles at the right edge of a tree that are not full: what growing it needs.
    #[must_use]
    pub fn edge(size: u64) -> Vec<Self> {
        let levels = (0..HEIGHT).map(|level| (level, size.checked_shr(u32::from(level * HEIGHT))));
        levels
            .filter_map(|(level, at_level)| Some((level, at_level.filter(|&at| at > 0)?)))
            .filter(|(_, at_level)| at_level % WIDTH > 0)
            .map(|(level, at_level)| Self { level, number: at_level / WIDTH })
            .collect()
    }
}

impl TileSlice {
    /// The slices of one level's tiles that a tree of this size has.
    pub fn of_level(level: u8, size: u64) -> impl Iterator<Item = Self> {
        let at_level = size.checked_shr(u32::from(level) * u32::from(HEIGHT)).unwrap_or(0);
        (0..at_level.div_ceil(WIDTH)).map(move |number| {
            let width = (at_level - number * WIDTH).min(WIDTH);
            Self { tile: TileId { level, number }, width }
        })
    }

    /// The slice of one level's tile `number` in the rest of a path: `x001/x234/067` or
    /// `067.p/12`.
    ///
    /// # Errors
    /// [`InvalidTilePath`] if the text is not such a path.
    pub fn parse(level: u8, number: &str) -> Result<Self, InvalidTilePath> {
        // The library panics at a width of 0.
        let is_width = |text: &str| text.parse().is_ok_and(|width| (1..WIDTH).contains(&width));
        let widths_are_good = number.split_once(".p/").is_none_or(|(_, width)| is_width(width));
        if number.len() > PATH_LENGTH_MAX || level >= 64 || !widths_are_good {
            return Err(InvalidTilePath);
        }
        // The library writes the height into its paths, which C2SP leaves out.
        let path = format!("tile/{HEIGHT}/{level}/{number}");
        let tile = Tile::from_path(&path).map_err(|_| InvalidTilePath)?;
        let id = TileId { level: tile.level(), number: tile.level_index() };
        Ok(Self { tile: id, width: u64::from(tile.width()) })
    }
}

/// The number of the tile and the width of what is not full, as they stand in a path.
struct Number(u64, u64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number, width) = *self;
        let width = u32::try_from(width).unwrap_or(u32::MAX);
        let path = Tile::new(HEIGHT, 0, number, width, false).path();
        f.write_str(path.strip_prefix("tile/8/0/").unwrap_or(&path))
    }
}

impl TileSlice {
    /// Where the hashes are: `tile/0/x001/234`, `tile/1/005.p/12`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("tile/{}/{}", self.tile.level, Number(self.tile.number, self.width))
    }

    /// Where the entries are: `tile/entries/x001/234`.
    #[must_use]
    pub fn entries_path(&self) -> String {
        format!("tile/entries/{}", Number(self.tile.number, self.width))
    }
}

impl FromStr for TileSlice {
    type Err = InvalidTilePath;

    /// Reads `LEVEL/NUMBER`, the part of a path after `tile/`.
    fn from_str(text: &str) -> Result<Self, InvalidTilePath> {
        let (level, number) = text.split_once('/').ok_or(InvalidTilePath)?;
        let parsed: u8 = level.parse().map_err(|_| InvalidTilePath)?;
        if parsed.to_string() != level {
            return Err(InvalidTilePath);
        }
        Self::parse(parsed, number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The example of tlog-tiles, section "Partial Tiles".
    #[test]
    fn the_tiles_of_seventy_thousand_entries() {
        let of = |level| TileSlice::of_level(level, 70_000).collect::<Vec<_>>();
        assert_eq!(of(0).len(), 274);
        assert_eq!(of(0).last().map(|slice| slice.width), Some(112));
        assert_eq!(of(1).iter().map(|slice| slice.width).collect::<Vec<_>>(), [256, 17]);
        assert_eq!(of(2).iter().map(|slice| slice.width).collect::<Vec<_>>(), [1]);
        assert!(of(3).is_empty());
        let edge = [(0, 273), (1, 1), (2, 0)].map(|(level, number)| TileId { level, number });
        assert_eq!(TileId::edge(70_000), edge);
        assert_eq!(TileId::edge(256), [TileId { level: 1, number: 0 }]);
        assert!(TileId::edge(0).is_empty());
    }

    #[test]
    fn paths_are_those_of_the_specification() {
        let slice = TileSlice { tile: TileId { level: 0, number: 1_234_067 }, width: 256 };
        assert_eq!(slice.path(), "tile/0/x001/x234/067");
        assert_eq!(slice.entries_path(), "tile/entries/x001/x234/067");
        let partial = TileSlice { tile: TileId { level: 2, number: 0 }, width: 1 };
        assert_eq!(partial.path(), "tile/2/000.p/1");
    }

    #[test]
    fn what_names_no_tile_is_refused() {
        for path in [
            "0/1",
            "0/0001",
            "0/x1/000",
            "00/000",
            "-1/000",
            "0/000.p/0",
            "0/000.p/256",
            "0/000.p/01",
            "64/000",
            "0/",
            "0",
            "0/x000/000",
            "0/../../etc",
            "0/000/",
        ] {
            assert_eq!(path.parse::<TileSlice>(), Err(InvalidTilePath), "{path}");
        }
    }

    proptest! {
        #[test]
        fn a_path_names_its_slice(level in 0_u8..8, number in 0_u64..1 << 40, width in 1_u64..=256) {
            let slice = TileSlice { tile: TileId { level, number }, width };
            let path = slice.path();
            prop_assert_eq!(path.strip_prefix("tile/").unwrap().parse(), Ok(slice));
        }

        #[test]
        fn no_text_is_too_strange(text in ".{0,60}") {
            let _ = text.parse::<TileSlice>();
        }
    }
}
