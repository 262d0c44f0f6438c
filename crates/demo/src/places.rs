//! Where the clinic and its patients are: four invented towns in two real states with ZIP codes of
//! the right form, and invented streets.

use crate::random::Rng;

/// A site of the clinic, with the town it stands in.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) name: &'static str,
    pub(crate) town: &'static str,
    pub(crate) state: &'static str,
    pub(crate) zip: &'static str,
    pub(crate) street: &'static str,
    pub(crate) county: &'static str,
    pub(crate) area_code: &'static str,
    /// Degrees times ten thousand.
    pub(crate) latitude: i64,
    pub(crate) longitude: i64,
    neighbours: &'static [(&'static str, &'static str)],
}

/// How many sites there are.
pub(crate) const SITES: u64 = 4;

/// The name of the whole clinic.
pub(crate) const CLINIC: &str = "Larkspur Community Health";

/// The hospital the clinic sends people to.
pub(crate) const HOSPITAL: &str = "Tamarack Regional Hospital";

/// A postal address in the United States.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) line: String,
    pub(crate) unit: Option<String>,
    pub(crate) town: &'static str,
    pub(crate) state: &'static str,
    pub(crate) zip: String,
    pub(crate) county: &'static str,
}

/// A site by its number (any number: it wraps).
#[expect(clippy::indexing_slicing, reason = "the remainder is below the length")]
pub(crate) fn site(n: u64) -> &'static Site {
    const { assert!(SITE_LIST.len() == 4) };
    &SITE_LIST[usize::try_from(n % SITES).unwrap_or(0)]
}

/// Draws the address of a household that belongs to a site.
pub(crate) fn address(rng: &mut Rng, site: &'static Site) -> Address {
    let (town, zip) =
        if rng.chance(600) { (site.town, site.zip) } else { *rng.pick(site.neighbours) };
    let number = rng.range(11, 9899);
    let line = format!(
        "{number} {}{} {}",
        if rng.chance(120) { "North " } else { "" },
        rng.pick(STREETS),
        rng.pick(WAYS)
    );
    let unit = rng.chance(260).then(|| format!("Apt {}", rng.range(1, 48)));
    let zip = if rng.chance(300) {
        format!("{zip}-{:04}", rng.range(1001, 9899))
    } else {
        zip.to_owned()
    };
    Address { line, unit, town, state: site.state, zip, county: site.county }
}

static SITE_LIST: [Site; 4] = [
    Site {
        name: "Alder Ridge",
        town: "Alder Ridge",
        state: "MN",
        zip: "55941",
        street: "200 Prairie Lantern Avenue",
        county: "Tamarack",
        area_code: "507",
        latitude: 438_012,
        longitude: -920_144,
        neighbours: &[("Quarry Hollow", "55947"), ("Nettle Creek", "55953"), ("Osmund", "55958")],
    },
    Site {
        name: "Birch Narrows",
        town: "Birch Narrows",
        state: "MN",
        zip: "56339",
        street: "14 Granite Ferry Road",
        county: "Wendigo Lake",
        area_code: "320",
        latitude: 455_590,
        longitude: -942_071,
        neighbours: &[("Little Heron", "56341"), ("Svea Prairie", "56348"), ("Tolten", "56354")],
    },
    Site {
        name: "Kettle Bend",
        town: "Kettle Bend",
        state: "WI",
        zip: "54738",
        street: "77 Old Sawmill Street",
        county: "Marten",
        area_code: "715",
        latitude: 446_307,
        longitude: -913_320,
        neighbours: &[("Cranmere", "54741"), ("Pine Harrow", "54746"), ("Vesper Falls", "54752")],
    },
    Site {
        name: "Harrow Point",
        town: "Harrow Point",
        state: "WI",
        zip: "53589",
        street: "3100 Lakefold Boulevard",
        county: "Rock Prairie",
        area_code: "608",
        latitude: 429_168,
        longitude: -892_176,
        neighbours: &[("Dunmarsh", "53591"), ("Ledger Hill", "53584"), ("New Tarn", "53577")],
    },
];

const STREETS: &[&str] = &[
    "Aspen Hollow",
    "Bellflower",
    "Bittern",
    "Bluestem",
    "Bobolink",
    "Buckthorn",
    "Butternut",
    "Cattail",
    "Chokecherry",
    "Clover",
    "Coneflower",
    "Copper Kettle",
    "Cottonwood",
    "Creamery",
    "Dogwood",
    "Drumlin",
    "Elderberry",
    "Falconer",
    "Fiddlehead",
    "Foundry",
    "Gentian",
    "Goldfinch",
    "Grain Belt",
    "Harvest Moon",
    "Hawthorn",
    "Heron Marsh",
    "Hickory Nut",
    "Ironwood",
    "Juniper",
    "Kestrel",
    "Killdeer",
    "Lady Slipper",
    "Lantern",
    "Limestone",
    "Loon Call",
    "Maple Sugar",
    "Meadowlark",
    "Millrace",
    "Moraine",
    "Oak Savanna",
    "Orchard",
    "Pasqueflower",
    "Plover",
    "Quarry",
    "Railyard",
    "Red Osier",
    "Ripple",
    "Sandhill",
    "Schoolhouse",
    "Serviceberry",
    "Silver Birch",
    "Snowshoe",
    "Sorrel",
    "Spruce Bog",
    "Sumac",
    "Sunfish",
    "Tamarack",
    "Thistledown",
    "Trillium",
    "Wagon Wheel",
    "Walleye",
    "Whippoorwill",
    "Wild Rice",
    "Willow Bank",
    "Windrow",
    "Wintergreen",
    "Yarrow",
];
const WAYS: &[&str] = &[
    "Avenue", "Court", "Drive", "Lane", "Place", "Road", "Street", "Street", "Terrace", "Trail",
    "Way",
];
