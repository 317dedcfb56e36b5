// The confusion matrix of a report: counts by true class (rows) and answer (columns), with recall and precision.
import { count, escapeHtml, percent, ratio } from "./text.js";

/** `classes`: their names; numbers where there are none. */
export function confusionTable(confusion: readonly (readonly number[])[], classes: readonly string[] | undefined): string {
  const names = confusion.map((_, c) => escapeHtml(classes?.[c] ?? String(c)));
  const long = names.some((name) => name.length > 3);
  const columns = confusion.map((_, predicted) => confusion.reduce((sum, row) => sum + (row[predicted] ?? 0), 0));
  const worst = Math.max(1, ...confusion.flatMap((row, truth) => row.filter((_, predicted) => predicted !== truth)));
  const head = names.map((name) => `<th scope="col">${long ? `<span>${name}</span>` : name}</th>`).join("");
  const rows = confusion.map((row, truth) => {
    const total = row.reduce((sum, examples) => sum + examples, 0);
    const cells = row.map((examples, predicted) => {
      const right = predicted === truth;
      // the square root lifts small counts; a class that is found half the time is already pale
      const heat = right ? Math.max(0, 2 * ratio(examples, total) - 1 || 0) : Math.sqrt(examples / worst);
      const kind = examples === 0 ? "none" : right ? "right" : "wrong";
      return `<td class="${kind}" style="--heat:${heat.toFixed(3)}" title="true ${names[truth]}, said ${names[predicted]}: ${count(examples)}">${examples}</td>`;
    });
    const recall = percent(ratio(row[truth] ?? 0, total), 1);
    const side = truth === 0 ? `<th scope="rowgroup" class="side" rowspan="${confusion.length}"><span>true</span></th>` : "";
    return `<tr>${side}<th scope="row">${names[truth]}</th>${cells.join("")}<td class="rate">${recall}</td></tr>`;
  });
  const precision = columns.map((total, predicted) => `<td class="rate">${percent(ratio(confusion[predicted]?.[predicted] ?? 0, total), 1)}</td>`);
  return `<table class="heat${long ? " named" : ""}"><caption class="unseen">Examples by true class (rows) and predicted class (columns)</caption>
<thead><tr><td colspan="2"></td><th scope="colgroup" colspan="${confusion.length}" class="top">said</th><td></td></tr>
<tr><td colspan="2"></td>${head}<th scope="col" class="rate-head">recall</th></tr></thead>
<tbody>${rows.join("\n")}</tbody>
<tfoot><tr><td></td><th scope="row" class="rate-head">precision</th>${precision.join("")}<td></td></tr></tfoot></table>`;
}
