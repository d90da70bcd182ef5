// What the model is told, and how it chooses its words.
import QtQuick
import Paluku
import PalukuApp

Column {
    id: answers

    required property SettingsController settings

    spacing: Theme.s24

    SettingsGroup {
        width: parent.width
        name: qsTr("Answers")
        restorable: true
        onRestoreWanted: answers.settings.restoreDefaults(SettingsController.Answers)

        Item {
            width: parent.width
            height: instruction.y + instruction.height + Theme.s16

            UiText {
                id: title

                x: Theme.s16
                y: Theme.s8
                text: qsTr("Instruction to the model")
            }
            Area {
                id: instruction

                x: Theme.s16
                y: title.y + title.height + Theme.s8
                width: parent.width - 2 * Theme.s16
                name: title.text
                text: answers.settings.instruction
                placeholderText: qsTr("Stands before every conversation, for example: Answer in Telugu.")
                onEdited: answers.settings.instruction = text
            }
        }
        SliderRow {
            name: qsTr("Variety (temperature)")
            valueText: answers.settings.temperatureText
            to: 2
            stepSize: 0.05
            value: answers.settings.temperature
            onChosen: value => answers.settings.temperature = value
        }
    }
    SettingsGroup {
        width: parent.width
        name: qsTr("Choice of words")

        SliderRow {
            name: qsTr("Among the likeliest (top-k)")
            valueText: answers.settings.topKText
            to: 200
            stepSize: 1
            value: answers.settings.topK
            onChosen: value => answers.settings.topK = value
        }
        SliderRow {
            name: qsTr("Within a share of the likelihood (top-p)")
            valueText: answers.settings.topPText
            from: 0.05
            to: 1
            stepSize: 0.05
            value: answers.settings.topP
            onChosen: value => answers.settings.topP = value
        }
        SliderRow {
            name: qsTr("Likely enough beside the likeliest (min-p)")
            valueText: answers.settings.minPText
            to: 0.5
            stepSize: 0.01
            value: answers.settings.minP
            onChosen: value => answers.settings.minP = value
        }
        SliderRow {
            name: qsTr("Against repetition")
            valueText: answers.settings.repetitionPenaltyText
            from: 1
            to: 2
            stepSize: 0.05
            value: answers.settings.repetitionPenalty
            onChosen: value => answers.settings.repetitionPenalty = value
        }
        SliderRow {
            name: qsTr("Towards new subjects (presence)")
            valueText: answers.settings.presencePenaltyText
            from: -2
            to: 2
            stepSize: 0.1
            value: answers.settings.presencePenalty
            onChosen: value => answers.settings.presencePenalty = value
        }
        SliderRow {
            name: qsTr("Towards new words (frequency)")
            valueText: answers.settings.frequencyPenaltyText
            from: -2
            to: 2
            stepSize: 0.1
            value: answers.settings.frequencyPenalty
            onChosen: value => answers.settings.frequencyPenalty = value
        }
        SettingRow {
            name: qsTr("Seed")
            hint: qsTr("The same seed and question give the same answer.")

            Field {
                name: qsTr("Seed")
                text: answers.settings.seed
                placeholderText: qsTr("another each time")
                inputMethodHints: Qt.ImhDigitsOnly
                validator: RegularExpressionValidator { regularExpression: /[0-9]{0,19}/ }
                onEditingFinished: answers.settings.seed = text
            }
        }
    }
}
