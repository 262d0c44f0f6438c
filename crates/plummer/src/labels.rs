//! What commands about labels do, upon the one record: in the server that holds the data folder, or in
//! the command itself when none does.

use crate::opening;
use crate::wish::{AboutLabels, ShownLabels, ShownTag, Told};
use base::Fault;
use record::{LabelStanding, Record};

/// Does what is wished, in the name of whoever owns the data folder. `progress` is told versions done,
/// and all.
pub(crate) fn carry_out(
    record: &Record,
    ask: AboutLabels,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Told, Fault> {
    let session = opening::session(record);
    match ask {
        AboutLabels::Status => Ok(shown(record.labels())),
        AboutLabels::Relabel { all } => {
            if all {
                session.relabel_all()?;
            }
            loop {
                let standing = session.relabel()?;
                progress(standing.done, standing.done.saturating_add(standing.waiting));
                if standing.waiting == 0 || !standing.is_on {
                    return Ok(shown(standing));
                }
            }
        }
        AboutLabels::Tag { tag, record, on } => {
            Ok(Told::Tagged { changed: session.tag(&tag, &record, on)? })
        }
        AboutLabels::Tags => {
            let tags = session.tags()?.wait()?.into_iter();
            let tags = tags.map(|t| ShownTag { tag: t.tag, record: t.record, since: t.since });
            Ok(Told::Tags(tags.collect()))
        }
    }
}

fn shown(standing: LabelStanding) -> Told {
    let labelling = match (standing.is_on, standing.waiting, &standing.failure) {
        (false, ..) => "off",
        (_, _, Some(_)) => "failing",
        (_, 0, None) => "current",
        _ => "relabelling",
    };
    Told::Labels(Box::new(ShownLabels {
        labelling: labelling.to_owned(),
        rules: standing.rules,
        epoch: standing.epoch,
        waiting: standing.waiting,
        changed: standing.changed,
        in_doubt: standing.in_doubt,
        in_doubt_of_patients: standing.in_doubt_of_patients,
        failure: standing.failure.map(|fault| fault.code().name.to_owned()),
    }))
}
