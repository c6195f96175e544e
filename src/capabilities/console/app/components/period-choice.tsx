import styles from "./period-choice.module.css";

const choices = [
  ["24h", "24 hours"],
  ["7d", "7 days"],
  ["30d", "30 days"],
] as const;

export interface PeriodChoiceProps {
  readonly period: string;
  readonly onChange: (period: string) => void;
}

export function PeriodChoice({ period, onChange }: PeriodChoiceProps) {
  return (
    <fieldset className={styles.periods}>
      <legend className="visually-hidden">Period</legend>
      {choices.map(([name, text]) => (
        <label key={name} className={styles.period}>
          <input
            type="radio"
            name="period"
            className="visually-hidden"
            checked={period === name}
            onChange={() => onChange(name)}
          />
          {text}
        </label>
      ))}
    </fieldset>
  );
}
